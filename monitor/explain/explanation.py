"""All that is told of one prediction, as text."""

from collections.abc import Iterator
from typing import Any

import msgspec

from featurizer.row import FeatureRow
from ingestor.tick import Event
from monitor.explain.checks import Check, differing
from monitor.outcome import Outcome
from scorer.prediction import Prediction
from signals.state import State


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a row's rv60 stands in the last day: the share of its seconds in lower cells.

    ``seconds`` of them were counted; the share is None without any, or without rv60.
    """

    seconds: int
    share_below: float | None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction with what came before and after it, and what of it was recomputed.

    ``state`` is that of the product at the prediction's second, made again; None if that cannot
    be. ``checks`` are by part: ``row``, ``prediction``, ``model``, ``shadows``, ``state``,
    ``outcome``.
    """

    prediction: Prediction
    row: FeatureRow | None
    ticks: list[Event]
    standing: Standing | None
    outcome: Outcome | None
    state: State | None
    checks: dict[str, list[Check]]

    @property
    def differing(self) -> list[str]:
        """Name what differs, by part."""
        found = self.checks.items()
        return [f"{part}: {name}" for part, checks in found for name in differing(checks)]


def encode(explanation: Explanation) -> bytes:
    """Return the explanation's JSON, with ``differing`` beside it."""
    document = {**msgspec.structs.asdict(explanation), "differing": explanation.differing}
    return msgspec.json.encode(document)


def lines(explanation: Explanation) -> Iterator[str]:
    """Return the explanation as a person reads it, line by line."""
    p = explanation.prediction
    yield f"prediction {p.prediction_id}: {p.product_id} of {p.feed} at {p.time_us}"
    yield f"score {p.score!r}, spike {_text(p.spike)}, threshold {_text(p.threshold)}"
    yield f"model {p.model_variant} {p.version} ({p.digest}), tau in force {_text(p.tau)}"
    yield f"notes {', '.join(p.notes) or 'none'}; flags {', '.join(p.flags) or 'none'}"
    yield f"level {_level(explanation)}"
    yield f"state {_state(explanation.state)}"
    yield "the last events before and with it:"
    yield from (f"  {_event(event)}" for event in explanation.ticks)
    for part, checks in explanation.checks.items():
        yield f"{part}:"
        yield from (f"  {_check(check)}" for check in checks)
    different = explanation.differing
    yield f"differing: {', '.join(different)}" if different else "all that is known is equal"


def _level(explanation: Explanation) -> str:
    row, standing = explanation.row, explanation.standing
    tau = "unknown" if row is None else f"{_text(row.tau)} ({_text(row.tau_status)})"
    if standing is None:
        return f"{tau}; where rv60 stands is unknown"
    if standing.share_below is None:
        return f"{tau}; no quantile: {standing.seconds} seconds counted in the last day"
    share = f"{100 * standing.share_below:.1f} %"
    return f"{tau}; rv60 is above {share} of the last day's {standing.seconds} seconds"


def _state(state: State | None) -> str:
    if state is None:
        return "at its second unknown"
    mode = f"{state.mode} ({state.detail})" if state.detail else state.mode
    runs = ", ".join(f"run {run.signal_id} of level {run.level}" for run in state.runs)
    told = f"{mode} since {state.since_us}, smoothed score {_text(state.smoothed)}"
    return f"{told}; {runs or 'no run'}"


def _event(event: Event) -> str:
    fields: dict[str, Any] = msgspec.structs.asdict(event)
    told = [n for n in ("price", "bid", "ask", "trade_id", "reason") if fields.get(n) is not None]
    values = ", ".join(f"{name} {fields[name]}" for name in told)
    return f"{event.time_us} {type(event).__name__}: {values}"


def _check(check: Check) -> str:
    if check.equal is None:
        return f"{check.name}: unknown, {check.why}"
    if check.equal and isinstance(check.stored, msgspec.Struct):
        return f"{check.name}: equal"
    if check.equal:
        return f"{check.name}: {_text(check.stored)}, equal"
    return f"{check.name}: DIFFERS, found {_text(check.stored)}, expected {_text(check.recomputed)}"


def _text(value: Any) -> str:
    return "none" if value is None else msgspec.json.encode(value).decode().strip('"')
