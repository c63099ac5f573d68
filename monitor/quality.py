"""How good the live predictions are: a rolling window of labelled rows, by variant.

One row per product and second counts, its last. All variants, and the rule that predicts a
spike where volatility already reaches τ, are measured on the same rows against one label.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import fsum
from typing import Final

from featurizer.slots import MICROSECONDS
from monitor.forecast_record import ForecastRecord
from monitor.outcome import Outcome
from scorer.prediction import Prediction

BINS: Final = tuple(edge / 10 for edge in range(10))
"""Lower edges of the score bins of a calibration; the last one includes 1."""

RULE: Final = "rv60_rule"
"""Predicts a spike where ``realized_volatility_60s`` ≥ τ; unknown volatility says no spike."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows whose score lies from ``lower`` to 0.1 above it; ``score`` is the sum of theirs."""

    lower: float
    rows: int
    spikes: int
    score: float

    @property
    def mean_score(self) -> float | None:
        """What was forecast on average."""
        return self.score / self.rows if self.rows else None

    @property
    def frequency(self) -> float | None:
        """Share of rows that were a spike: what a calibrated score equals."""
        return _share(self.spikes, self.rows)


@dataclass(frozen=True, slots=True)
class Quality:
    """One variant's figures for one product; None where a figure is not defined.

    ``rows`` counts all labelled seconds, ``full_rows`` those whose row had a coverage of 1.
    ``brier`` of the rule is that of its 0 or 1 as a forecast, and it has no calibration.
    """

    product_id: str
    variant: str
    rows: int
    full_rows: int
    spikes: int
    alarms: int
    hits: int
    brier: float | None
    calibration: tuple[Bin, ...] = ()

    @property
    def prevalence(self) -> float | None:
        """Share of rows that were a spike."""
        return _share(self.spikes, self.rows)

    @property
    def precision(self) -> float | None:
        """Share of alarms that were a spike."""
        return _share(self.hits, self.alarms)

    @property
    def recall(self) -> float | None:
        """Share of spikes that were announced."""
        return _share(self.hits, self.spikes)


@dataclass(frozen=True, slots=True)
class _VariantAnswer:
    """``order`` decides between two answers of one variant for the same second."""

    order: tuple[int, str]
    score: float
    spike: bool


@dataclass(slots=True)
class _Second:
    label: bool
    full: bool
    answers: dict[str, _VariantAnswer] = field(default_factory=dict)

    def add(self, variant: str, answer: _VariantAnswer) -> None:
        standing = self.answers.get(variant)
        if standing is None or answer.order > standing.order:
            self.answers[variant] = answer


@dataclass(slots=True)
class _ProductWindow:
    feed: str
    newest: int = -1
    scored_us: int = -1
    seconds: dict[int, _Second] = field(default_factory=dict)
    figures: list[Quality] | None = None


class RollingQuality:
    """The last ``window`` seconds of event time of each product's present feed.

    ``forecasts`` has the chances of the same rows for longer.
    """

    def __init__(self, window: int) -> None:
        self.forecasts = ForecastRecord()
        self._window = window
        self._products: dict[str, _ProductWindow] = {}

    def begin(self, product_id: str, feed: str) -> None:
        """Say which feed a product has now; another feed than before empties its window."""
        standing = self._products.get(product_id)
        if standing is None or standing.feed != feed:
            self._products[product_id] = _ProductWindow(feed)
            self.forecasts.forget(product_id)

    def add(self, prediction: Prediction, outcome: Outcome) -> None:
        """Take a labelled outcome of a score, in time and of its second's last row."""
        window = self._products.get(outcome.product_id)
        if window is None or window.feed != outcome.feed:
            return
        if outcome.label is None or not outcome.last_of_second or prediction.late:
            return
        if prediction.score is None:
            return
        self.forecasts.add(prediction, outcome)
        second = outcome.time_us // MICROSECONDS
        if second <= window.newest - self._window:
            return
        window.figures = None
        row = window.seconds.setdefault(second, _Second(outcome.label, outcome.coverage >= 1.0))
        for variant, answer in _answers(prediction):
            row.add(variant, answer)
        window.newest = max(window.newest, second)
        window.scored_us = max(window.scored_us, prediction.scored_us)
        if len(window.seconds) > 2 * self._window:
            self._prune(window)

    def refill(self, rows: Iterable[tuple[Prediction, Outcome]]) -> None:
        """Take rows that were read back, in their order."""
        for prediction, outcome in rows:
            self.begin(outcome.product_id, outcome.feed)
            self.add(prediction, outcome)

    def snapshot(self) -> list[Quality]:
        """Compute all figures from the rows in the window: of a product with new rows, anew.

        A product that had no row for a window while others had is gone.
        """
        newest_us = max((window.scored_us for window in self._products.values()), default=0)
        gone_us = newest_us - self._window * MICROSECONDS
        self._products = {n: w for n, w in self._products.items() if not 0 <= w.scored_us < gone_us}
        found: list[Quality] = []
        for product_id, window in sorted(self._products.items()):
            if window.figures is None:
                self._prune(window)
                window.figures = _measure(product_id, window)
            found.extend(window.figures)
        return found

    def _prune(self, window: _ProductWindow) -> None:
        first = window.newest - self._window
        window.seconds = {s: row for s, row in window.seconds.items() if s > first}


def _answers(prediction: Prediction) -> list[tuple[str, _VariantAnswer]]:
    order = (prediction.scored_us, prediction.prediction_id)
    tau, volatility = prediction.tau, prediction.realized_volatility_60s
    rule = tau is not None and volatility is not None and volatility >= tau
    said: list[tuple[str, float | None, bool]] = [
        (each.model_variant, each.score, bool(each.spike)) for each in prediction.shadows
    ]
    said += [
        (prediction.model_variant, prediction.score, bool(prediction.spike)),
        (RULE, float(rule), rule),
    ]
    return [
        (v, _VariantAnswer(order, score, spike)) for v, score, spike in said if score is not None
    ]


def _measure(product_id: str, window: _ProductWindow) -> list[Quality]:
    rows: defaultdict[str, list[tuple[_Second, _VariantAnswer]]] = defaultdict(list)
    for second in window.seconds.values():
        for variant, answer in second.answers.items():
            rows[variant].append((second, answer))
    return [_quality(product_id, variant, found) for variant, found in sorted(rows.items())]


def _quality(product_id: str, variant: str, rows: list[tuple[_Second, _VariantAnswer]]) -> Quality:
    errors = fsum((answer.score - second.label) ** 2 for second, answer in rows)
    return Quality(
        product_id=product_id,
        variant=variant,
        rows=len(rows),
        full_rows=sum(second.full for second, _ in rows),
        spikes=sum(second.label for second, _ in rows),
        alarms=sum(answer.spike for _, answer in rows),
        hits=sum(answer.spike and second.label for second, answer in rows),
        brier=errors / len(rows) if rows else None,
        calibration=() if variant == RULE else _calibration(rows),
    )


def _calibration(rows: list[tuple[_Second, _VariantAnswer]]) -> tuple[Bin, ...]:
    binned: list[list[tuple[_Second, _VariantAnswer]]] = [[] for _ in BINS]
    for row in rows:
        binned[bisect_right(BINS, row[1].score) - 1].append(row)
    return tuple(
        Bin(
            lower=lower,
            rows=len(found),
            spikes=sum(second.label for second, _ in found),
            score=fsum(answer.score for _, answer in found),
        )
        for lower, found in zip(BINS, binned, strict=True)
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
