"""From the state of one second to that of the next, where there is something to say."""

from dataclasses import dataclass
from math import nan

from msgspec.structs import replace

from signals.row import MICROSECONDS, Row
from signals.rules import FROZEN, is_reached, smooth
from signals.state import Cause, Level, Run, State, signal_id


@dataclass(frozen=True, slots=True)
class Values:
    """What a second has: its row's values, and the scores up to it smoothed.

    ``volatility`` is RV60, NaN where it is not known; it and ``tau`` are log returns over 60 s.
    """

    row: Row
    second: int
    smoothed: float
    severe: float
    volatility: float
    tau: float
    theta_elevated: float
    theta_spike: float

    @classmethod
    def of(cls, row: Row, second: int, smoothed: float | None) -> "Values":
        """Return the values of a second that is not blind; ``smoothed`` is of the one before."""
        assert row.score is not None and row.severe is not None
        assert row.tau is not None and row.thresholds is not None
        known = row.realized_volatility_60s
        return cls(
            row=row,
            second=second,
            smoothed=smooth(smoothed, row.score),
            severe=row.severe,
            volatility=nan if known is None else known,
            tau=row.tau,
            theta_elevated=row.thresholds.elevated,
            theta_spike=row.thresholds.spike,
        )


def follow(state: State, values: Values) -> State:
    """Return the state with mode, runs and timers as this second leaves them."""
    held = _held(state, values) if state.mode == "blind" else state
    if held.mode != "spike" and values.severe >= values.theta_spike:
        return _in_spike(held, values)
    if held.mode == "calm":
        return _in_elevated(held, values) if values.smoothed >= values.theta_elevated else held
    return held if held is not state else _count(held, values)


def _held(state: State, values: Values) -> State:
    """Return what a blind stretch leaves: the runs that their exit conditions do not end."""
    spike, elevated = state.spike, state.elevated
    if spike is not None and _spike_is_over(spike, values):
        spike = None
    if spike is None and elevated is not None and _elevated_is_over(elevated, values):
        elevated = None
    left = replace(state, spike=spike, elevated=elevated, quiet_seconds=0)
    if spike is not None:
        return replace(left, mode="spike", detail=spike.cause or "")
    return replace(left, mode="calm" if elevated is None else "elevated", detail="")


def _count(state: State, values: Values) -> State:
    """Count a second towards the exit, and leave where it has been enough of them."""
    in_spike = state.spike is not None
    quiet = state.quiet_seconds + 1 if _is_over(state, values) else 0
    if quiet < (FROZEN.spike_lasting if in_spike else FROZEN.elevated_lasting):
        return replace(state, quiet_seconds=quiet)
    left = replace(state, spike=None, quiet_seconds=0, detail="")
    if in_spike:
        return replace(left, mode="elevated")
    return replace(left, mode="calm", elevated=None)


def _is_over(state: State, values: Values) -> bool:
    if state.spike is not None:
        return _spike_is_over(state.spike, values)
    return state.elevated is not None and _elevated_is_over(state.elevated, values)


def _spike_is_over(run: Run, values: Values) -> bool:
    return bool(
        FROZEN.spike_is_over(values.severe, values.volatility, run.tau_entry, values.theta_spike)
    )


def _elevated_is_over(run: Run, values: Values) -> bool:
    return bool(
        FROZEN.elevated_is_over(
            values.smoothed, values.volatility, run.tau_entry, values.theta_elevated
        )
    )


def _in_elevated(state: State, values: Values) -> State:
    return replace(state, mode="elevated", detail="", elevated=_begun(values, 1), quiet_seconds=0)


def _in_spike(state: State, values: Values) -> State:
    cause: Cause = "fact" if is_reached(values.volatility, values.tau, 2) else "outlook"
    elevated = state.elevated or _begun(values, 1)
    return replace(
        state,
        mode="spike",
        detail=cause,
        elevated=elevated,
        spike=replace(_begun(values, 2), cause=cause),
        quiet_seconds=0,
    )


def _begun(values: Values, level: Level) -> Run:
    return Run(
        signal_id=signal_id(values.row, level, values.second),
        level=level,
        start_us=values.second * MICROSECONDS,
        tau_entry=values.tau,
        already_there=bool(is_reached(values.volatility, values.tau, level)),
    )
