"""What the page lives on: the newest of each product, and the course of its last day."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from ingestor.tick import Break
from monitor.forecast_record import Said
from monitor.page.glance import Glance, glance_of, last_days, state_of
from monitor.page.history import Course, History, history_of
from monitor.page.points import point_of
from monitor.page.promotions import Promotion, Promotions
from monitor.states.display import GONE_SECONDS
from monitor.states.machines import Standing
from scorer.prediction import Prediction
from signals.row import MICROSECONDS
from signals.state import State

GONE_US: Final = int(GONE_SECONDS) * MICROSECONDS


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """All products at ``server_us`` (wall clock, epoch µs), by name."""

    server_us: int
    products: list[Glance]


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """A sign of life: the wall clock, and the newest event time of all, both epoch µs."""

    server_us: int
    event_us: int | None


class Live:
    """Takes predictions in their order; whatever came since the last look is one glance.

    Used by one thread.
    """

    def __init__(self) -> None:
        self._newest: dict[str, Prediction] = {}
        self._states: dict[str, State] = {}
        self._courses: dict[str, Course] = {}
        self._taken: dict[str, int] = {}
        self._promotions = Promotions()

    def take(self, predictions: Iterable[Prediction], states: Iterable[Standing]) -> None:
        """Take predictions, and where the machines stand after them."""
        self._states = {each.product_id: each.state for each in states}
        for prediction in predictions:
            if _is_newer(prediction, self._newest.get(prediction.product_id)):
                self._take(prediction)

    def frame(self, now_us: int, said: Sequence[Said] = ()) -> Frame:
        """Return all products as they are to be shown at a wall clock (epoch µs)."""
        days = last_days(said)
        newest_us = max((p.received_us for p in self._newest.values()), default=0)
        glances = [
            glance_of(
                prediction,
                self._states.get(name),
                now_us,
                self._taken[name],
                days.get((name, prediction.model_variant)),
            )
            for name, prediction in sorted(self._newest.items())
            if prediction.received_us >= newest_us - GONE_US
        ]
        return Frame(server_us=now_us, products=glances)

    def beat(self, now_us: int) -> Beat:
        """Return a sign of life at a wall clock (epoch µs)."""
        newest_us = max((p.time_us for p in self._newest.values()), default=None)
        return Beat(server_us=now_us, event_us=newest_us)

    @property
    def products(self) -> list[str]:
        """Return the products that have predictions, by name."""
        return sorted(self._newest)

    @property
    def promotions(self) -> Sequence[Promotion]:
        """Return which models served from when on, oldest first."""
        return self._promotions.lines

    def history(
        self,
        product_id: str,
        since_us: int | None,
        until_us: int | None,
        step: int,
        breaks: Iterable[Break] = (),
    ) -> History:
        """Return a stretch of a product's last day, by steps of so many seconds or more."""
        course = self._courses.get(product_id)
        return history_of(product_id, course, since_us, until_us, step, breaks)

    def adopt(self, past: "Live") -> None:
        """Go on from courses that were read back; those of another feed are of no use."""
        self._promotions.adopt(past._promotions)
        for name, course in past._courses.items():
            self._newest.setdefault(name, past._newest[name])
            self._taken.setdefault(name, 0)
            mine = self._courses.get(name)
            if mine is not None and mine.feed != course.feed:
                continue
            if mine is not None:
                course.go_on(mine)
            self._courses[name] = course

    def _take(self, prediction: Prediction) -> None:
        name, feed = prediction.product_id, prediction.feed
        self._newest[name] = prediction
        self._promotions.take(prediction)
        self._taken[name] = self._taken.get(name, 0) + 1
        course = self._courses.get(name)
        if course is None or course.feed != feed:
            course = self._courses[name] = Course(feed)
        state = state_of(prediction, self._states.get(name))
        mode = "blind" if state is None else state.mode
        thresholds = None if state is None or state.last is None else state.last.thresholds
        course.take(point_of(prediction, mode, thresholds), prediction.after_break)


def _is_newer(prediction: Prediction, last: Prediction | None) -> bool:
    """Say whether a prediction is of a later row, or of another feed."""
    if last is None or last.feed != prediction.feed:
        return True
    return (prediction.time_us, prediction.trade_id) > (last.time_us, last.trade_id)
