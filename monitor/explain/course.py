"""The course of a product's state around one prediction, made again from a record before it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.explain.checks import Check, compared
from monitor.states.machines import row_of
from scorer.prediction import Prediction
from signals.events import Change
from signals.machine import Machine
from signals.records import Record
from signals.row import MICROSECONDS
from signals.state import State
from signals.steps import step

SECOND: Final = ("mode", "detail", "since_us")
"""What the changes of ``signals`` say of a second."""
WHOLE: Final = (
    *("mode", "detail", "since_us", "smoothed", "quiet_seconds", "blind_seconds"),
    *("elevated", "spike", "ended", "past", "last", "minute"),
)
"""What a record carries of a machine."""


@dataclass(frozen=True, slots=True)
class Course:
    """What stands in ``signals`` of a product around a prediction, and the same made again.

    ``base`` is the record it was made from; ``told`` the records from its prediction on, in their
    order, up to ``after``, the first that was decided when the prediction's second was over.
    ``state`` is the state at that second and ``then`` that of ``after``, both made again. Where
    one is None, ``why`` says what is not known.
    """

    base: Record | None = None
    told: Sequence[Record] = ()
    after: Record | None = None
    state: State | None = None
    then: State | None = None
    why: str = ""


def is_before(record: Record, prediction: Prediction, offset: int) -> bool:
    """Say whether a record's state is one from before the prediction at an offset was taken.

    Of a repeat: before what it repeats.
    """
    last = record.state.last
    if last is None or record.state.offset >= offset:
        return False
    return last.feed != prediction.feed or last.key < (prediction.time_us, prediction.trade_id)


@dataclass(slots=True)
class Retraced:
    """A machine that goes on from a record, until the second of a prediction is over and after.

    ``over`` is the offset of the row by which it was; ``state`` then the state at that second,
    None where no row of it was taken or another feed followed.
    """

    machine: Machine
    wanted: Prediction
    over: int | None = None
    state: State | None = None

    def take(self, prediction: Prediction, offset: int) -> None:
        """Take the next prediction of the product."""
        before = self.machine.state
        self.machine.take(row_of(prediction, self.machine.budget), offset)
        if self.over is None and self._is_over(before, self.machine.state):
            self.over = offset
            last = before.last
            if last is not None and self._place(before) == 0 and self._place(self.machine.state):
                self.state, _ = step(before, last.second, last)

    def _is_over(self, before: State, after: State) -> bool:
        place = self._place(after)
        return self._place(before) == 0 if place is None else place > 0

    def _place(self, state: State) -> int | None:
        """Return how many seconds after the wanted one a state's last is, None in another feed."""
        if state.last is None or state.last.feed != self.wanted.feed:
            return None
        return state.last.second - self.wanted.time_us // MICROSECONDS


def told_of(course: Course, prediction: Prediction) -> tuple[str, str, int]:
    """Return mode, detail and since when, as the records have it of the prediction's second."""
    start = State() if course.base is None else course.base.state
    if start.last is None or start.last.feed != prediction.feed:
        start = State()
    stepped_us = -1 if start.last is None else start.last.second * MICROSECONDS
    said = (start.mode, start.detail, start.since_us)
    for change in _changes(course.told, prediction):
        if stepped_us <= change.time_us:
            said = (change.mode, change.detail, change.time_us)
    return said


def _changes(told: Iterable[Record], prediction: Prediction) -> list[Change]:
    """Return the changes of the prediction's feed up to its second, by time."""
    events = (record.event for record in told if record.feed == prediction.feed)
    changes = [e for e in events if isinstance(e, Change) and e.time_us <= prediction.time_us]
    return sorted(changes, key=lambda change: change.time_us)


def of_state(course: Course, prediction: Prediction) -> list[Check]:
    """Compare the state of a prediction's second, and the whole of the next record's."""
    base, after, state = course.base, course.after, course.state
    if base is None or after is None or state is None:
        return [Check(name="state", recomputed=state and state.mode, why=course.why)]
    budgets = {record.budget for record in course.told}
    doubt = "the budget was changed in between" if budgets != {base.budget} else ""
    said = zip(SECOND, told_of(course, prediction), strict=True)
    checks = [compared(name, stored, getattr(state, name), doubt) for name, stored in said]
    if course.then is None:
        return [*checks, Check(name="next record", why=course.why)]
    pairs = ((n, getattr(after.state, n), getattr(course.then, n)) for n in WHOLE)
    return checks + [compared(f"next record's {n}", one, two, doubt) for n, one, two in pairs]
