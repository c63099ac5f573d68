"""The level and the model in units of it, judged on days and captures that the model never saw.

Days have the level that was theirs, captures the seed's: the two never stand in one table.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from featurizer.level.seeds import packaged_seeds, read_seeds
from training.venues.captures import PATTERN, capture_files, read_captures
from training.venues.examples import Examples, examples_of, joined
from training.venues.forecasts import EVERY, Forecasts, leave_one_out, transfer, walk_forward
from training.venues.minute_levels import read_minute_examples
from training.venues.paired import day_name, forecast_figures, learned_gain
from training.venues.share import share_table
from training.venues.venue_days import FOLDER, VENUES, read_venues

MINUTES: Final = "exch_minutes_btc_20260706_20260805.csv.gz"
BEFORE: Final = "its days before"
OTHERS: Final = "other venues"
COINBASE: Final = "Coinbase's minutes and captures"
BOTH: Final = "Coinbase and other venues"

Named = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is learned from and judged on; ``files`` are those of the captures."""

    venues: Sequence[Examples]
    minutes: Examples
    captures: Examples
    files: Sequence[str]

    def coinbase(self, captures: Examples) -> Examples:
        """Return Coinbase's minutes with these of its captures."""
        return joined(COINBASE, [self.minutes, captures])

    def others(self, tested: Examples) -> Examples:
        """Return all venues but the one tested."""
        return joined(OTHERS, [each for each in self.venues if each.name != tested.name])


def missing(data: Path) -> list[str]:
    """Return what is not in the folder of data, by file."""
    files = [f"{FOLDER}/{venue.file}" for venue in VENUES] + [MINUTES]
    captures = [] if capture_files(data) else [PATTERN]
    return [file for file in files if not (data / file).is_file()] + captures


@dataclass(frozen=True, slots=True)
class Coinbase:
    """Coinbase's minutes and captures; ``files`` are those of the captures, by part."""

    minutes: Examples
    captures: Examples
    files: Sequence[str]

    @property
    def learned(self) -> Examples:
        """Return them as one learns from them: every tenth second, minutes first."""
        return joined(COINBASE, [self.minutes, self.captures]).thinned(EVERY)


def read_coinbase(data: Path) -> Coinbase:
    """Read Coinbase's own data.

    Raises:
        DatasetError: names what cannot be read.
    """
    captures, files = read_captures(data, read_seeds(packaged_seeds()))
    return Coinbase(read_minute_examples(data / MINUTES), captures, files)


def judge(data: Path) -> dict[str, Any]:
    """Return what the data say; raises ``DatasetError`` naming what cannot be read."""
    days = list(read_venues(data))
    own = read_coinbase(data)
    evidence = Evidence(
        [examples_of(each.venue.name, each.seconds) for each in days],
        own.minutes,
        own.captures,
        own.files,
    )
    return {
        "shares": [share_table(d.venue, d.path, d.seconds, d.breaks) for d in days],
        "days": list(_days(evidence)),
        "captures": _captures(evidence),
        "coinbase_alone": list(_alone(evidence)),
    }


def _days(evidence: Evidence) -> Iterator[dict[str, Any]]:
    for tested in [*evidence.venues, evidence.minutes]:
        yield _judged(tested.name, BEFORE, walk_forward(tested), day_name)
        yield _judged(tested.name, OTHERS, transfer(evidence.others(tested), tested), day_name)


def _captures(evidence: Evidence) -> list[dict[str, Any]]:
    """Judge on captures: by the venues alone, and with each left out once."""
    tested, name = evidence.captures, evidence.files.__getitem__
    apart = transfer(evidence.others(tested), tested)
    left_out = leave_one_out(tested, evidence.coinbase)
    everything = leave_one_out(tested, lambda rest: joined("all", [*evidence.venues, rest]))
    return [
        _judged(tested.name, OTHERS, apart, name),
        _judged(tested.name, "the other captures and Coinbase's minutes", left_out, name),
        _judged(tested.name, "the other captures and other venues", everything, name),
    ]


def _alone(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """Judge what is learned on Coinbase alone beside what other venues add, or say alone."""
    coinbase = evidence.coinbase(evidence.captures)
    for tested in evidence.venues:
        others = evidence.others(tested)
        alone = transfer(coinbase, tested)
        beside = {OTHERS: others, BOTH: joined(BOTH, [coinbase, others])}
        yield _judged(tested.name, COINBASE, alone, day_name) | {
            "beside": {
                learned: _gains(alone, transfer(examples, tested))
                for learned, examples in beside.items()
            }
        }


def _gains(one: Forecasts, other: Forecasts) -> dict[str, Any]:
    return {
        event: learned_gain(getattr(one, event), getattr(other, event), day_name)
        for event in Forecasts.__slots__
    }


def _judged(tested: str, learned: str, forecasts: Forecasts, name: Named) -> dict[str, Any]:
    return {
        "tested": tested,
        "learned": learned,
        **{
            event: forecast_figures(getattr(forecasts, event), name)
            for event in Forecasts.__slots__
        },
    }
