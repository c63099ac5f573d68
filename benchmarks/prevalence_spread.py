"""How far an hour's and a day's share of spikes, and volatility in units of τ, move by nature.

``python benchmarks/prevalence_spread.py ../shared/data`` passes the days of other venues through
the service's own slots and level, and looks at seconds under an established level only: shares
of spikes by hour, by UTC day and over the last 24 h, and what a τ that is wrong by a factor of
three would make of the latter. The bounds of the alert on prevalence stand on its output.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from training.data.thresholds import Flags
from training.external.columns import Numbers
from training.venues.leveled import LeveledSeconds, volatility_ahead
from training.venues.minute_levels import read_minute_examples
from training.venues.venue_days import missing, read_venues

MINUTES: Final = "exch_minutes_btc_20260706_20260805.csv.gz"
HOUR: Final = 3_600
DAY: Final = 86_400
LEAST: Final = 0.5
"""Share of the seconds of a span that are judged; a span with fewer says nothing."""
SPANS: Final = (("hour", HOUR, HOUR), ("UTC day", DAY, DAY), ("last 24 h", DAY, HOUR))


def shares(spike: Flags, at: Flags, second: Numbers, length: int, step: int) -> Numbers:
    """Return the share of spikes where ``at``, by spans that begin at each whole ``step``."""
    wanted = LEAST * length / np.median(np.diff(second))
    first, last = int(second[0]) // step * step, int(second[-1])
    found = []
    for begin in range(first, last - length + 2, step):
        low, high = np.searchsorted(second, (begin, begin + length))
        judged = at[low:high]
        if judged.sum() >= wanted:
            found.append(float(spike[low:high][judged].mean()))
    return np.array(found)


def of_seconds(tau: Numbers, ahead: Numbers, second: Numbers) -> Iterator[tuple[str, Numbers]]:
    """Return what moves and how: a title and its value in each span.

    ``tau`` and ``ahead`` (the volatility of the next 60 s) are log returns over 60 s, NaN where
    there is no established level or no label; ``second`` is the epoch second.
    """
    at = ~np.isnan(tau) & ~np.isnan(ahead)
    for title, length, step in SPANS:
        yield f"share, {title}", shares(ahead >= tau, at, second, length, step)
    for factor in (3.0, 1 / 3):
        moved = shares(ahead >= factor * tau, at, second, DAY, HOUR)
        yield f"share, last 24 h, τ × {factor:.2g}", moved


def line(title: str, found: Numbers) -> str:
    """Return number, lowest, tenth, median, ninetieth, highest."""
    if not len(found):
        return f"  {title:<32} none"
    five = np.quantile(found, (0.0, 0.1, 0.5, 0.9, 1.0))
    return f"  {title:<32} {len(found):>4} {'  '.join(f'{x:7.3f}' for x in five)}"


def of_venue(seconds: LeveledSeconds) -> tuple[Numbers, Numbers, Numbers]:
    """Return level where established, volatility of the next 60 s, and second."""
    tau = np.where(seconds.has("established"), seconds.tau, np.nan)
    return tau, volatility_ahead(seconds), seconds.second.astype(float)


def show(name: str, tau: Numbers, ahead: Numbers, second: Numbers) -> None:
    """Print a table."""
    lines = [line(title, found) for title, found in of_seconds(tau, ahead, second)]
    sys.stdout.write("\n".join([name, *lines]) + "\n")


def main(data: Path) -> int:
    """Print a table a venue; 2 where the days are not there."""
    if absent := missing(data):
        sys.stderr.write(f"error: found no {', '.join(absent)} in {data}\n")
        return 2
    sys.stdout.write(f"{'':<34} spans, lowest, tenth, median, ninetieth, highest\n")
    for days in read_venues(data):
        show(days.venue.name, *of_venue(days.seconds))
    month = read_minute_examples(data / MINUTES)
    show(f"{month.name} (Parkinson's)", month.tau, month.ahead, month.second.astype(float))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
