"""What is counted of one level while the machine runs: onsets with their leads, and time.

The same figures as ``signals/table.py`` makes from arrays, second by second, so that a track
record needs no predictions: counts only grow, and what came between two records is a difference.
"""

from msgspec.structs import replace

from signals.events import Onset
from signals.leads import LATE, LEADS, STANDING
from signals.onsets import QUIET
from signals.row import MICROSECONDS
from signals.rules import is_reached
from signals.state import Level, Past, Run, Watched
from signals.transitions import Values


def watch(
    level: Level, past: Past, run: Run | None, second: int, values: Values | None
) -> tuple[Watched, Onset | None]:
    """Count a second of a level, ``run`` being the one that stands in it or is held.

    ``past`` is what was counted up to the second before, ``values`` None where it is blind.
    """
    before = past.of(level)
    high = values is not None and bool(is_reached(values.volatility, values.tau, level))
    quiet = 0 if values is None or high else before.quiet_seconds + 1
    begins = values is not None and high and before.quiet_seconds >= QUIET
    if begins and values is not None and not _by_border(past, values, level):
        before = replace(before, onset_us=second * MICROSECONDS)
    told = _met(level, before, run, second)
    counted = replace(
        before,
        quiet_seconds=quiet,
        onset_us=-1 if told else before.onset_us,
        high=high,
        reached=before.reached + high,
        crossings=before.crossings + (high and not before.high),
    )
    return (counted if values is None else _timed(counted, run, second)), told


def _by_border(past: Past, values: Values, level: Level) -> bool:
    """Say whether τ came down on an RV60 that crosses nothing: the border of a bin alone."""
    if past.volatility is None or past.tau is None:
        return False
    above = past.volatility >= level * values.tau
    return bool(above and values.volatility < level * past.tau)


def _met(level: Level, watched: Watched, run: Run | None, second: int) -> Onset | None:
    """Return the onset that waits, once it is known which run met it, or that none did."""
    if watched.onset_us < 0:
        return None
    onset = watched.onset_us // MICROSECONDS
    if run is None and second < onset + LATE:
        return None
    lead = None if run is None else onset - run.start_us // MICROSECONDS
    return Onset(
        time_us=second * MICROSECONDS,
        level=level,
        onset_us=watched.onset_us,
        lead_seconds=lead,
        signal_id=None if run is None else run.signal_id,
        already_there=run is not None and run.already_there,
    )


def _timed(watched: Watched, run: Run | None, second: int) -> Watched:
    """Count a covered second: in state, calm, and how long a run has stood in a calm one."""
    is_calm, age = watched.quiet_seconds >= QUIET, -1
    if run is not None:
        age = second - run.start_us // MICROSECONDS
    stood = watched.stood
    if is_calm and 0 <= age <= STANDING:
        stood = tuple(n + (age >= lead) for n, lead in zip(stood, LEADS, strict=True))
    return replace(
        watched,
        in_state=watched.in_state + (run is not None),
        calm=watched.calm + is_calm,
        calm_in_state=watched.calm_in_state + (is_calm and run is not None),
        stood=stood,
    )
