"""What the pair in units of τ learns from, and what it says of days it never saw."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ingestor.instant import text_of
from serving.control import Variant
from serving.relative import WINDOWS
from signals.budgets import Choices, thresholds
from training.errors import DatasetError
from training.models.relative import RelativeFit, fit_relative
from training.venues.examples import Examples, examples_of
from training.venues.forecasts import EVERY, Forecasts, score_days, transfer
from training.venues.judging import MINUTES, missing, read_coinbase
from training.venues.paired import day_name, forecast_figures
from training.venues.venue_days import VenueDays, read_venues

WINDOWS_OF: Final[Mapping[Variant, int]] = {"ml": len(WINDOWS), "baseline": 1}
"""How many windows a variant looks at."""
MINUTES_SOURCE: Final = "jarvisss007/crypto-microstructure, joined"
MINUTES_LICENCE: Final = "MIT"
CAPTURES_LICENCE: Final = "none stated"
SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class LearnedFrom:
    """Coinbase's own data: the month of minutes, and the captures that may be learned from.

    ``examples`` are thinned, as neighbours share most of their returns; ``files`` name each file
    with SHA-256, licence, first and last second and how many examples are of it.
    """

    examples: Examples
    files: Sequence[Mapping[str, Any]]

    @property
    def digest(self) -> str:
        """The content address: of the files, in their order."""
        lines = "".join(f"{each['sha256']}  {each['file']}\n" for each in self.files)
        return hashlib.sha256(lines.encode()).hexdigest()


def read_learned(data: Path) -> LearnedFrom:
    """Read what is learned from.

    Raises:
        DatasetError: names what is absent, or file, row and reason.
    """
    absent = missing(data)
    if absent:
        raise DatasetError(f"{data}: found no {', '.join(absent)}, expected all to learn from")
    own = read_coinbase(data)
    files = [_file(data / MINUTES, own.minutes, MINUTES_SOURCE, MINUTES_LICENCE)]
    for number, name in enumerate(own.files):
        part = own.captures.take(own.captures.part == number).thinned(EVERY)
        files.append(_file(data / name, part, "a capture of Advanced Trade", CAPTURES_LICENCE))
    return LearnedFrom(own.learned, files)


def _file(path: Path, examples: Examples, source: str, licence: str) -> dict[str, Any]:
    if not len(examples):
        raise DatasetError(f"{path.name}: found no second with a level and a known minute ahead")
    return {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "source": source,
        "licence": licence,
        "first": text_of(int(examples.second[0]) * SECOND),
        "last": text_of(int(examples.second[-1]) * SECOND),
        "examples": len(examples),
        "spikes": int(examples.spikes.sum()),
        "severe": int(examples.severe.sum()),
    }


def fit_pair(learned: Examples) -> dict[Variant, RelativeFit]:
    """Fit both variants on the same examples; raises ``FitError`` for a single class."""
    return {variant: fit_relative(learned, windows) for variant, windows in WINDOWS_OF.items()}


def choose_thresholds(model: RelativeFit, venues: Sequence[VenueDays]) -> dict[str, Choices]:
    """Return θ of every budget from days of venues that the model has seen nothing of."""
    return thresholds(
        [day.seconds for each in venues for day in score_days(model, each.venue.name, each.seconds)]
    )


def judge_venues(learned: Examples, venues: Sequence[VenueDays]) -> dict[str, Any]:
    """Return, by venue, the figures of model and calibrated rule on its established seconds."""
    found = {}
    for each in venues:
        tested = examples_of(each.venue.name, each.seconds)
        forecasts = transfer(learned, tested)
        found[each.venue.name] = {
            event: forecast_figures(getattr(forecasts, event), day_name)
            for event in Forecasts.__slots__
        }
    return found


def read_days(data: Path) -> list[VenueDays]:
    """Read the days that are judged; raises ``DatasetError`` naming file, row and reason."""
    return list(read_venues(data))
