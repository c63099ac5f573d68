"""How far an hour's and a day's share of spikes, and volatility in units of τ, move by nature.

``python benchmarks/prevalence_spread.py ../shared/data`` passes the days of other venues through
the service's own slots and level, and looks at seconds under an established level only: shares
of spikes by hour, by UTC day and over the last 24 h, and what a τ that is wrong by a factor of
three would make of the latter. Then each part of the days, a venue or half of Coinbase's month, is
kept apart once: bounds are chosen on the others, and looks and alarms counted on it, beside those
of the alert on prevalence.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from training.data.thresholds import Flags
from training.external.columns import Numbers
from training.venues.examples import Examples
from training.venues.leveled import LeveledSeconds, volatility_ahead
from training.venues.minute_levels import read_minute_examples
from training.venues.venue_days import missing, read_venues

MINUTES: Final = "exch_minutes_btc_20260706_20260805.csv.gz"
HOUR: Final = 3_600
DAY: Final = 86_400
LEAST: Final = 0.5
"""Share of the seconds of a span that are judged; a span with fewer says nothing."""
HELD: Final = 6
"""Hours for which a share stays outside its bounds before the alert fires."""
MARGIN: Final = 1.5
"""By how much chosen bounds are wider than what was seen: few days do not hold the extremes."""
BOUNDS: Final = (0.01, 0.3)
"""Those of the alert."""
WRONG: Final = (3.0, 1 / 3)
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
    for factor in WRONG:
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


@dataclass(frozen=True, slots=True)
class Part:
    """Days kept apart as a whole: shares of the last 24 h, a look an hour, by a factor of τ."""

    name: str
    shares: Mapping[float, Numbers]

    @classmethod
    def of(cls, name: str, tau: Numbers, ahead: Numbers, second: Numbers) -> "Part":
        """Return the looks at some days; arguments as of ``of_seconds``."""
        at = ~np.isnan(tau) & ~np.isnan(ahead)
        looks = {f: shares(ahead >= f * tau, at, second, DAY, HOUR) for f in (1.0, *WRONG)}
        return cls(name, looks)

    @property
    def venue(self) -> str:
        """What stands before the half."""
        return self.name.partition(",")[0]


def settled(found: Numbers) -> tuple[float, float]:
    """Return the lowest and the highest share that stood, or was passed, for ``HELD`` hours."""
    if len(found) <= HELD:
        return float(found.max()), float(found.min())
    windows = np.lib.stride_tricks.sliding_window_view(found, HELD + 1)
    return float(windows.max(axis=1).min()), float(windows.min(axis=1).max())


def chosen(parts: Sequence[Part]) -> tuple[float, float]:
    """Return bounds within which these parts would have stayed, with a margin, as odds."""
    both = [settled(part.shares[1.0]) for part in parts]
    low, high = min(low for low, _ in both), max(high for _, high in both)
    return _scaled(low, 1 / MARGIN), _scaled(high, MARGIN)


def _scaled(share: float, factor: float) -> float:
    odds = factor * share / (1.0 - share)
    return odds / (1.0 + odds)


def alarms(found: Numbers, bounds: tuple[float, float]) -> tuple[int, int]:
    """Count the looks outside, and the alarms: outside for ``HELD`` hours."""
    outside = (found < bounds[0]) | (found > bounds[1])
    row = fired = 0
    for each in outside.tolist():
        row = row + 1 if each else 0
        fired += row == HELD + 1
    return int(outside.sum()), fired


def kept_apart(parts: Sequence[Part]) -> Iterator[str]:
    """Return lines a part: bounds chosen on the others, and what they and the alert's find.

    Halves of one month share a week of its level, so each is also judged by other venues alone.
    """
    for part in parts:
        rest = [each for each in parts if each is not part]
        venues = [each for each in rest if each.venue != part.venue]
        named = {"all others": chosen(rest), "the alert's": BOUNDS}
        if len(venues) < len(rest):
            named["other venues"] = chosen(venues)
        for name, bounds in named.items():
            counts = (alarms(part.shares[f], bounds) for f in (1.0, *WRONG))
            n = len(part.shares[1.0])
            told = "  ".join(f"{out:>4} {fired:>2}" for out, fired in counts)
            yield f"  {part.name:<28} {name:<12} {bounds[0]:.3f}–{bounds[1]:.3f} {n:>4}  {told}"


def halves(month: Examples) -> Iterator[Part]:
    """Return the two halves of a month, by time."""
    middle = month.second[0] + (month.second[-1] - month.second[0]) // 2
    for name, at in (
        ("first half", month.second < middle),
        ("second half", month.second >= middle),
    ):
        half = month.take(at)
        yield Part.of(f"{month.name}, {name}", half.tau, half.ahead, half.second.astype(float))


def main(data: Path) -> int:
    """Print a table a venue, and that of parts kept apart; 2 where the days are not there."""
    if absent := missing(data):
        sys.stderr.write(f"error: found no {', '.join(absent)} in {data}\n")
        return 2
    sys.stdout.write(f"{'':<34} spans, lowest, tenth, median, ninetieth, highest\n")
    parts = []
    for days in read_venues(data):
        columns = of_venue(days.seconds)
        show(days.venue.name, *columns)
        parts.append(Part.of(days.venue.name, *columns))
    month = read_minute_examples(data / MINUTES)
    show(f"{month.name} (Parkinson's)", month.tau, month.ahead, month.second.astype(float))
    parts += halves(month)
    sys.stdout.write("kept apart: bounds, looks; outside and alarms: as it is, τ × 3, τ / 3\n")
    sys.stdout.write("\n".join(kept_apart(parts)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
