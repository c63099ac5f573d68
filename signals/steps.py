"""One second of event time: the state after it, and what there is to tell."""

from math import isnan
from typing import Final

from msgspec.structs import replace

from signals.events import Change, End, Event, Outcome, Verdict
from signals.row import MICROSECONDS, Row
from signals.rules import AFTER, KEPT, is_reached
from signals.state import Past, Run, State
from signals.transitions import Values, follow
from signals.watch import watch

Stepped = tuple[State, list[Event]]

SETTLED: Final = KEPT + AFTER + 1
"""Blind seconds after which all runs have ended and have their verdict."""


def step(state: State, second: int, row: Row) -> Stepped:
    """Take a second that has the values of a row."""
    reason = row.blind
    if reason is not None:
        return step_blind(state, second, reason)
    values = Values.of(row, second, state.smoothed)
    after = replace(follow(state, values), smoothed=values.smoothed, blind_seconds=0)
    return _told(state, after, second, values)


def step_blind(state: State, second: int, reason: str) -> Stepped:
    """Take a second of which nothing is known."""
    count = state.blind_seconds + 1
    after = replace(
        state,
        mode="blind",
        detail=reason,
        smoothed=None,
        quiet_seconds=0,
        blind_seconds=count,
        elevated=state.elevated if count <= KEPT else None,
        spike=state.spike if count <= KEPT else None,
    )
    return _told(state, after, second, None)


def step_hole(state: State, first: int, last: int, reason: str) -> Stepped:
    """Take the blind seconds ``first … last``, in bounded time however many they are."""
    told: list[Event] = []
    for second in range(first, min(last, first + SETTLED) + 1):
        state, more = step_blind(state, second, reason)
        told += more
    rest = max(0, last - first - SETTLED)
    return replace(state, blind_seconds=state.blind_seconds + rest), told


def close(state: State, second: int) -> list[Event]:
    """Return the ends and verdicts of all runs where nothing follows in this feed any more."""
    time_us = second * MICROSECONDS
    ended = [replace(run, end_us=time_us) for run in state.runs]
    told: list[Event] = [End(time_us=time_us, run=run) for run in ended]
    waiting = (replace(run, blinded=True) for run in (*state.ended, *ended))
    return told + [_judged(run, time_us) for run in waiting]


def _told(before: State, after: State, second: int, values: Values | None) -> Stepped:
    """Compare two states: what began, what ended, what has its verdict."""
    time_us = second * MICROSECONDS
    lasting = {run.signal_id for run in after.runs}
    end_us = (second - before.blind_seconds) * MICROSECONDS
    ended = [replace(run, end_us=end_us) for run in before.runs if run.signal_id not in lasting]
    waiting = [_seen(run, time_us, values) for run in (*before.ended, *ended)]
    changed = (before.mode, before.detail) != (after.mode, after.detail)
    state = replace(
        after,
        elevated=after.elevated and _seen(after.elevated, time_us, values),
        spike=after.spike and _seen(after.spike, time_us, values),
        ended=tuple(run for run in waiting if not _is_due(run, time_us)),
        since_us=time_us if changed else before.since_us,
    )
    state, onsets = _counted(state, before.past, second, values)
    told: list[Event] = [_change(before, state, time_us)] if changed else []
    told += [End(time_us=time_us, run=run) for run in ended]
    told += [_judged(run, time_us) for run in waiting if _is_due(run, time_us)]
    return state, told + onsets


def _counted(
    state: State, past: Past, second: int, values: Values | None
) -> tuple[State, list[Event]]:
    """Count the second, and return the onsets of which it is known now what met them."""
    elevated, one = watch(1, past, state.elevated, second, values)
    spike, other = watch(2, past, state.spike, second, values)
    counted = Past(
        covered=past.covered + (values is not None),
        volatility=None if values is None or isnan(values.volatility) else values.volatility,
        tau=None if values is None else values.tau,
        elevated=elevated,
        spike=spike,
    )
    return replace(state, past=counted), [onset for onset in (one, other) if onset]


def _change(before: State, after: State, time_us: int) -> Change:
    return Change(
        time_us=time_us,
        before=before.mode,
        before_detail=before.detail,
        mode=after.mode,
        detail=after.detail,
        elevated=_id(after.elevated),
        spike=_id(after.spike),
        started=tuple(run for run in after.runs if run.start_us == time_us),
    )


def _id(run: Run | None) -> str | None:
    return None if run is None else run.signal_id


def _seen(run: Run, time_us: int, values: Values | None) -> Run:
    """Return the run with what a second shows, if that still belongs to its verdict."""
    if run.end_us is not None and time_us > run.end_us + AFTER * MICROSECONDS:
        return run
    if values is None:
        return run if run.blinded else replace(run, blinded=True)
    if run.reached or not is_reached(values.volatility, values.tau, run.level):
        return run
    return replace(run, reached=True)


def _is_due(run: Run, time_us: int) -> bool:
    return run.end_us is not None and time_us >= run.end_us + AFTER * MICROSECONDS


def _judged(run: Run, time_us: int) -> Verdict:
    return Verdict(time_us=time_us, run=run, outcome=outcome_of(run))


def outcome_of(run: Run) -> Outcome:
    """Return what became of a run of which all seconds were seen that belong to its verdict."""
    if run.already_there:
        return "already_there"
    if run.reached:
        return "true"
    return "cut" if run.blinded else "false"
