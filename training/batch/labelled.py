"""Labelled rows of one product as columns: the last of each second, with what followed.

The bits are those of ``FeatureEngine`` and ``MidLog``, which take one event after the other.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from featurizer.engine import QUIET_SECONDS, Snapshot
from featurizer.level.levels import Levels
from featurizer.level.seeds import default_seeds
from ingestor.tick import Beat, Tick
from training.batch import ahead
from training.batch.columns import Flags, Floats, Ints
from training.batch.keys import BEAT, BREAK, Fetch, Keys
from training.batch.matrix import coverage, matrix, returns
from training.batch.places import NONE
from training.batch.seconds import Seconds, seconds_of
from training.batch.squares import Squares
from training.batch.taken import BEATEN, NOTHING, TAKEN, Fates, fates_of
from training.batch.taus import taus_of

FULL_COVERAGE: Final = 1.0
FATES: Final = ("unfinished", "usable", "break", "coverage", "warming")
UNFINISHED, USABLE, BROKEN, UNCOVERED, WARMING = range(len(FATES))


@dataclass(frozen=True, slots=True)
class LabelledColumns:
    """Rows of one product and feed in order of time, by the names of ``training.data.parquet``.

    ``events`` are those the rows are of; ``tau_status`` is a position in ``STATUSES``, ``fate``
    in ``FATES``. Unknown numbers are NaN, an unknown ``matured_us`` is -1.
    ``counts`` say what became of the events and rows of the span.
    """

    events: Sequence[Tick | Beat]
    time_us: Ints
    features: Floats
    coverage: Floats
    tau: Floats
    tau_status: npt.NDArray[np.int8]
    returns: Ints
    after_break: Flags
    mid: Floats
    volatility: Floats
    matured_us: Ints
    fate: npt.NDArray[np.int8]
    counts: dict[str, int]

    def __len__(self) -> int:
        return len(self.time_us)


def labelled(
    keys: Keys,
    fetch: Fetch,
    span: tuple[int, int] = (0, 2**63 - 1),
    state: Snapshot | None = None,
) -> LabelledColumns:
    """Return the labelled rows in ``span`` (epoch microseconds, the end is left out).

    There is at least one event; ``state`` is the product's before the first.
    """
    timeline = None if state is None else state.timeline
    run = deepcopy(state.run) if state else Levels(default_seeds()).begin(fetch([0])[0])
    fates = fates_of(keys, timeline.key if timeline else NOTHING)
    seconds = seconds_of(keys, fates, fetch, timeline)
    squares = Squares(seconds, run)
    second, begun = seconds.closed.second, max(seconds.before - 1, 0)
    taus = taus_of(second, squares.volatilities(), begun, run)
    at = _rows(keys, seconds, span)
    own = seconds.rows()[at]
    labels = ahead.labels_of(keys, fetch, seconds, at)
    covered = coverage(seconds, at)
    fate = _fates(labels.outcome, covered)
    return LabelledColumns(
        events=[seconds.quotes[k] for k in (at - _first(seconds)).tolist()],
        time_us=keys.time_us[own],
        features=matrix(seconds, squares, at, run.run_us),
        coverage=covered,
        tau=taus.tau[at],
        tau_status=taus.status[at],
        returns=returns(seconds, at),
        after_break=_after_break(keys, fates, seconds, own, state is not None and state.broken),
        mid=seconds.closed.mid[at],
        volatility=labels.volatility,
        matured_us=labels.matured_us,
        fate=fate,
        counts=_counts(keys, fates, span, fate),
    )


def _rows(keys: Keys, seconds: Seconds, span: tuple[int, int]) -> Ints:
    """Return the slots that have a row in the span: all with ticks, of others one in ten."""
    at = np.arange(_first(seconds), len(seconds))
    own = seconds.rows()[at]
    quiet = seconds.closed.second[at] % QUIET_SECONDS != 0
    time_us, beats = keys.time_us[own], keys.are(BEAT)[own]
    found: Ints = at[(span[0] <= time_us) & (time_us < span[1]) & ~(beats & quiet)]
    return found


def _first(seconds: Seconds) -> int:
    """Return the first slot that has an event here."""
    return len(seconds) - len(seconds.quotes)


def _after_break(keys: Keys, fates: Fates, seconds: Seconds, own: Ints, broken: bool) -> Flags:
    """Return which rows have a Break between them and the row before, of any event."""
    accepted, breaks = seconds.places.accepted, seconds.places.breaks
    beats = np.flatnonzero(fates[accepted] == BEATEN)
    quiet = beats[keys.second[accepted[beats]] % QUIET_SECONDS != 0]
    giving = np.delete(accepted, quiet)
    before = np.append(NONE, giving)[np.searchsorted(giving, own)]
    after: Flags = np.searchsorted(breaks, own) > np.searchsorted(breaks, before)
    return after | (before == NONE) if broken else after


def _fates(outcome: npt.NDArray[np.int8], covered: Floats) -> npt.NDArray[np.int8]:
    """Return what becomes of the rows in training."""
    of_outcome = np.array([UNFINISHED, USABLE, BROKEN, UNCOVERED], np.int8)
    found = of_outcome[outcome]
    found[(found == USABLE) & (covered != FULL_COVERAGE)] = WARMING
    return found


def _counts(
    keys: Keys, fates: Fates, span: tuple[int, int], fate: npt.NDArray[np.int8]
) -> dict[str, int]:
    newest = np.maximum.accumulate(np.where(keys.are(BREAK), 0, keys.time_us))
    inside = fates[(span[0] <= newest) & (newest < span[1])]
    events = _named("events", [taken.value for taken in TAKEN], inside)
    return events | _named("rows", FATES, fate)


def _named(part: str, names: Sequence[str], found: npt.NDArray[np.int8]) -> dict[str, int]:
    counts = np.bincount(found, minlength=len(names)).tolist()
    return {f"{part}_{name}": n for name, n in sorted(zip(names, counts, strict=True)) if n}
