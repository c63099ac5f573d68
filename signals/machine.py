"""The states of one product: a pure function of its predictions, in their order."""

from typing import Final

from msgspec.structs import replace

from signals.events import Change, Event, Minute
from signals.records import Record
from signals.row import MICROSECONDS, Budget, Row
from signals.rules import LONGEST_GAP
from signals.state import State
from signals.steps import Stepped, close, step, step_hole

MINUTE_SECONDS: Final = 60


class Machine:
    """Takes predictions, and returns the records that they make.

    A second has the values of its last row, so it is stepped when a row of a later one comes.
    All of it is ``state``, which each record carries: a machine that was given the state of any
    record, and then the predictions after the offset in it, makes the same records.
    """

    __slots__ = ("budget", "state")

    def __init__(self, budget: Budget | None = None, state: State | None = None) -> None:
        self.budget = budget or Budget()
        self.state = state or State()

    def take(self, row: Row, offset: int) -> list[Record]:
        """Take the prediction at an offset; one that is not after the last taken is passed over."""
        before = self.state
        last = before.last
        if last is not None and last.feed == row.feed and row.key <= last.key:
            return []
        after, told = _taken(before, row)
        decided = [(event, last or row) for event in told]
        minute = row.second // MINUTE_SECONDS
        if minute != after.minute:
            begun = Minute(time_us=minute * MINUTE_SECONDS * MICROSECONDS)
            decided.append((begun, row))
        self.state = replace(after, last=row, offset=offset, minute=minute)
        states = [before] * (len(decided) - 1) + [self.state]
        return [self._record(*it, state) for it, state in zip(decided, states, strict=False)]

    def _record(self, event: Event, row: Row, state: State) -> Record:
        return Record(
            product_id=row.product_id,
            feed=row.feed,
            event=event,
            row=row,
            budget=self.budget,
            state=state,
        )


def _taken(state: State, row: Row) -> Stepped:
    """Step all seconds that are over now that a row has come."""
    last = state.last
    if last is None:
        return state, []
    if last.feed != row.feed:
        return _cleared(state, last)
    if last.second == row.second:
        return state, []
    reason = hole_before(row, last)
    state, told = step(state, last.second, last)
    if reason is not None:
        state, more = step_hole(state, last.second + 1, row.second - 1, reason)
        return state, told + more
    for second in range(last.second + 1, row.second):
        state, more = step(state, second, last)
        told += more
    return state, told


def hole_before(row: Row, last: Row) -> str | None:
    """Return why the seconds between two rows are blind, None where they have the first's values.

    A Break without a second between takes nothing away.
    """
    between = row.second - last.second - 1
    if row.after_break and between > 0:
        return "break"
    return "gap" if between >= LONGEST_GAP else None


def _cleared(state: State, last: Row) -> Stepped:
    """Another feed has another time: whatever was under way ends here, and nothing is kept."""
    second, fresh = last.second, State()
    change = Change(
        time_us=second * MICROSECONDS,
        before=state.mode,
        before_detail=state.detail,
        mode=fresh.mode,
        detail=fresh.detail,
        elevated=None,
        spike=None,
        started=(),
    )
    return fresh, [change, *close(state, second)]
