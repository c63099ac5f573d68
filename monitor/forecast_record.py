"""What chances said beside what came, by product and variant, over the last seven days."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from featurizer.slots import MICROSECONDS
from monitor.outcome import Outcome
from scorer.prediction import Prediction, Shadow
from signals.probabilities import Probabilities, Sums, together

HOUR_US: Final = 3_600 * MICROSECONDS
HOURS: Final = 7 * 24
"""Whole hours of event time that are kept."""
Event = Literal["score", "severe"]
"""The chance of τ, and that of 2τ."""
_Key = tuple[str, str, Event]


@dataclass(frozen=True, slots=True)
class Said:
    """Figures of one product, variant and event in the last so many hours of event time."""

    product_id: str
    variant: str
    event: Event
    hours: int
    figures: Probabilities


@dataclass(frozen=True, slots=True)
class SaidByAll:
    """Figures of one variant and event, of all products together: a second of each counts once."""

    variant: str
    event: Event
    hours: int
    figures: Probabilities


@dataclass(frozen=True, slots=True)
class Week:
    """Figures of all the hours that are kept, by product and over all of them."""

    by_product: tuple[Said, ...] = ()
    over_all: tuple[SaidByAll, ...] = ()


class ForecastRecord:
    """Sums of each hour: a chance counts once, with its outcome; what is older goes."""

    def __init__(self) -> None:
        self._hours: dict[_Key, dict[int, Sums]] = {}
        self._newest: dict[str, int] = {}

    def add(self, prediction: Prediction, outcome: Outcome) -> None:
        """Count the chances of a prediction whose minute is over and whose label is known."""
        volatility, tau = outcome.realized_volatility, prediction.tau
        if volatility is None or tau is None:
            return
        hour = outcome.time_us // HOUR_US
        for variant, event, chance in _chances(prediction):
            came = volatility >= (tau if event == "score" else 2.0 * tau)
            hours = self._hours.setdefault((outcome.product_id, variant, event), {})
            hours.setdefault(hour, Sums()).add(chance, came)
        if hour > self._newest.get(outcome.product_id, -1):
            self._newest[outcome.product_id] = hour
            self._forget(outcome.product_id, hour - HOURS)

    def forget(self, product_id: str) -> None:
        """Take a product off, which has another feed now."""
        self._newest.pop(product_id, None)
        self._hours = {key: kept for key, kept in self._hours.items() if key[0] != product_id}

    def last(self, hours: int) -> Iterator[Said]:
        """Return the figures of each product's last so many hours, the one under way included."""
        for (product, variant, event), kept in sorted(self._hours.items()):
            after = self._newest[product] - hours
            found = together(sums for hour, sums in kept.items() if hour > after)
            yield Said(product, variant, event, hours, found.figures())

    def week(self) -> Week:
        """Return the figures of all the hours that are kept."""
        return Week(tuple(self.last(HOURS)), tuple(self.over_all(HOURS)))

    def over_all(self, hours: int) -> Iterator[SaidByAll]:
        """Return the figures of all products together, each over its own last hours."""
        found: dict[tuple[str, Event], list[Sums]] = {}
        for (product, variant, event), kept in sorted(self._hours.items()):
            after = self._newest[product] - hours
            sums = [each for hour, each in kept.items() if hour > after]
            found.setdefault((variant, event), []).extend(sums)
        for (variant, event), several in found.items():
            yield SaidByAll(variant, event, hours, together(several).figures())

    def _forget(self, product_id: str, until: int) -> None:
        for key, kept in self._hours.items():
            if key[0] == product_id:
                for hour in [hour for hour in kept if hour <= until]:
                    del kept[hour]


def _chances(prediction: Prediction) -> Iterator[tuple[str, Event, float]]:
    both: list[Prediction | Shadow] = [prediction, *prediction.shadows]
    for said in both:
        if said.score is not None:
            yield said.model_variant, "score", said.score
        if said.severe is not None:
            yield said.model_variant, "severe", said.severe
