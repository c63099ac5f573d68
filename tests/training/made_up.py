"""Made-up examples: chances that follow from the windows by known coefficients."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from training.venues.examples import Examples
from training.venues.judging import MINUTES
from training.venues.venue_days import FOLDER, VENUES

MIDNIGHT = 1_700_006_400
DAY = MIDNIGHT // 86_400


def made_up(
    days: int = 6, a_day: int = 600, seed: int = 1, long: float = 1.0, name: str = "made up"
) -> Examples:
    """Return examples of whole days, 60 s apart, τ 1.

    What follows is log-normal around the 60 s window to the power 0.5 times the hour's to the
    power ``long``; without it the rule of 60 s is all there is to know.
    """
    chance, n = np.random.default_rng(seed), days * a_day
    logs = 0.8 * chance.normal(size=(n, 4)) - 0.6
    ahead = np.exp(0.5 * logs[:, 0] + long * logs[:, 3] + 0.4 * chance.normal(size=n))
    scale = np.sqrt(np.array([60, 300, 900, 3600]) / 60)
    day = np.repeat(np.arange(days), a_day)
    second = MIDNIGHT + day * 86_400 + np.tile(np.arange(a_day), days) * 60 + 59
    weighted, tau = np.exp(logs[:, 1]), np.ones(n)
    return Examples(name, second, np.exp(logs) * scale, weighted, tau, ahead, DAY + day)


def minutes(hours: int) -> pd.DataFrame:
    """Make minutes whose volatility comes and goes over half an hour."""
    chance, count = np.random.default_rng(4), 60 * hours
    level = np.zeros(count)
    for at in range(1, count):
        level[at] = 0.97 * level[at - 1] + 0.2 * chance.normal()
    ranges = 4e-4 * np.exp(level + 0.3 * chance.normal(size=count))
    epoch = MIDNIGHT // 60 + np.arange(count)
    return pd.DataFrame(
        {"minute_epoch": epoch, "high": 9 * np.exp(ranges), "low": 9.0, "trades": 5.0}
    )


def trades(hours: float = 1.0, seed: int = 7, start: int = MIDNIGHT) -> pd.DataFrame:
    """Make trades in two seconds of three; volatility comes and goes, and has bursts."""
    chance, count = np.random.default_rng(seed), int(hours * 3600)
    level = np.zeros(count)
    for at in range(1, count):
        level[at] = 0.998 * level[at - 1] + 0.03 * chance.normal()
    level[np.arange(count) % 2400 < 150] += 2.0  # a burst, so that some minutes reach 2τ
    price = 1000 * np.exp(np.cumsum(2e-5 * np.exp(level) * chance.normal(size=count)))
    at = np.flatnonzero(chance.random(count) < 2 / 3)
    second = start + at
    return pd.DataFrame({"time_us": second * 1_000_000, "price": price[at], "size": 1.0})


def write_all(folder: Path, write: Callable[..., Path]) -> Path:
    """Fill a folder as the real one: half a day before a midnight, and three hours after it."""
    (folder / FOLDER).mkdir()
    for seed, venue in enumerate(VENUES):
        frame = trades(15.0, seed=seed, start=MIDNIGHT - 12 * 3600)
        frame["trade_id"] = np.arange(len(frame))
        frame.to_parquet(folder / FOLDER / venue.file)
    minutes(30).to_csv(folder / MINUTES, index=False)
    for seed in (1, 2):
        write(folder / f"adv_{seed}.ndjson", start=1_700_010_000 * seed, seed=seed)
    return folder


def with_client_clock(lines: list[dict[str, str]]) -> list[dict[str, str]]:
    """Cut the times of a recording to microseconds, as a client writes them."""
    return [line | {"timestamp": line["timestamp"][:26]} for line in lines]
