"""The candidates: one table of scikit-learn pipelines, from simple to rich."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from featurizer.features import NAMES
from training.data.rows import Table
from training.errors import FitError
from training.models.forecast import FLOOR, Ewma, Rule, ShareLogistic, VolatilityForecast, Weights

KNOWN_SHARE: Final = 0.9
"""A feature known in fewer of the training rows is left out: its nulls name the capture."""
RULE: Final = "realized_volatility_60s"
VOLATILITIES: Final = (RULE, "realized_volatility_300s")
FLOORS: Final[Mapping[str, float]] = {
    RULE: FLOOR,
    "realized_volatility_300s": FLOOR,
    "spread_mean_60s": 1e-8,
    "spread_mean_300s": 1e-8,
    "trade_intensity_60s": 0.01,
    "trade_intensity_300s": 0.01,
    "price_velocity_300s": 1e-8,
}
"""Features that are never negative go in as logarithms; below the floor they are one."""
SEED: Final = 20

Build = Callable[[Sequence[str]], Pipeline]
Role = Literal["candidate", "reference"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row of the table.

    ``numbers`` is how many numbers a fit makes, by which ties are settled; ``features`` are
    those it may use: ``NAMES`` for all, a new one at once, else by name; ``search_space`` what
    its search tries; a ``forecast`` learns from ``excess`` and needs no spike to do so; a
    ``reference`` is compared with, and never becomes ``ml``.
    """

    name: str
    title: str
    numbers: int
    features: tuple[str, ...]
    build: Build
    search_space: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    forecast: bool = False
    role: Role = "candidate"

    def known(self, table: Table) -> tuple[str, ...]:
        """Return the features of these rows it would use.

        A forecast takes both volatilities; of others, what is rarely known is left out.

        Raises:
            FitError: none is known often enough.
        """
        if self.forecast:
            return self.features
        share = {name: 1.0 - float(np.isnan(table.column(name)).mean()) for name in self.features}
        names = tuple(name for name in self.features if share[name] >= KNOWN_SHARE)
        if not names:
            raise FitError(
                f"found no feature known in {KNOWN_SHARE:.0%} of the rows for {self.name}"
            )
        return names


def logarithms(features: Sequence[str]) -> list[tuple[str, Any]]:
    """Return the steps that impute the median and take logarithms above each feature's floor."""
    floors = [FLOORS[name] for name in features]
    return [
        ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
        ("floor", FunctionTransformer(np.clip, kw_args={"a_min": floors, "a_max": None})),
        ("log", FunctionTransformer(np.log)),
    ]


def _forecast(weights: Weights) -> Build:
    return lambda names: Pipeline([*logarithms(names), ("model", VolatilityForecast(weights))])


def _ewma(names: Sequence[str]) -> Pipeline:
    steps = [*logarithms(names), ("ewma", Ewma()), ("model", VolatilityForecast())]
    return Pipeline(steps)


def _baseline(names: Sequence[str]) -> Pipeline:
    steps = [("impute", SimpleImputer(keep_empty_features=True)), ("scale", StandardScaler())]
    return Pipeline([*steps, ("model", ShareLogistic())])


def _rule(names: Sequence[str]) -> Pipeline:
    return Pipeline([*logarithms(names), ("model", Rule())])


def _logistic(names: Sequence[str]) -> Pipeline:
    model = LogisticRegression(max_iter=5000)
    return Pipeline([*logarithms(names), ("scale", StandardScaler()), ("model", model)])


def _forest(names: Sequence[str]) -> Pipeline:
    model = RandomForestClassifier(n_estimators=60, n_jobs=1, random_state=SEED)
    return Pipeline([("impute", SimpleImputer(strategy="median")), ("model", model)])


def _boosting(names: Sequence[str]) -> Pipeline:
    model = HistGradientBoostingClassifier(
        learning_rate=0.1, max_iter=40, early_stopping=False, random_state=SEED
    )
    return Pipeline([("impute", SimpleImputer(strategy="median")), ("model", model)])


TABLE: Final = (
    Candidate("rule", "the rv60 rule", 0, (RULE,), _rule, role="reference"),
    Candidate(
        "last",
        "rv60 rule, calibrated",
        2,
        VOLATILITIES,
        _forecast("last"),
        forecast=True,
        role="reference",
    ),
    Candidate("baseline", "z-score baseline", 3, (RULE,), _baseline, role="reference"),
    Candidate(
        "har_equal",
        "HAR forecast, equal weights",
        2,
        VOLATILITIES,
        _forecast("equal"),
        forecast=True,
    ),
    Candidate(
        "har_fitted",
        "HAR forecast, weights fitted",
        3,
        VOLATILITIES,
        _forecast("fitted"),
        forecast=True,
    ),
    Candidate(
        "ewma",
        "EWMA forecast in two steps",
        3,
        VOLATILITIES,
        _ewma,
        {"ewma__half_life": [15.0, 30.0, 60.0, 120.0, 240.0]},
        forecast=True,
    ),
    Candidate(
        "har_free",
        "HAR forecast, plain regression",
        4,
        VOLATILITIES,
        _forecast("free"),
        forecast=True,
    ),
    Candidate(
        "logistic",
        "logistic regression",
        8,
        tuple(FLOORS),
        _logistic,
        {"model__C": [0.001, 0.01, 0.1, 1.0], "model__class_weight": [None, "balanced"]},
    ),
    Candidate(
        "boosting",
        "gradient boosting",
        500,
        NAMES,
        _boosting,
        {"model__max_leaf_nodes": [4, 15]},
    ),
    Candidate(
        "forest",
        "random forest",
        5000,
        NAMES,
        _forest,
        {"model__min_samples_leaf": [5, 60]},
    ),
)
"""All that is compared, from simple to rich."""

CANDIDATES: Final[Mapping[str, Candidate]] = {candidate.name: candidate for candidate in TABLE}
BASELINE: Final = "baseline"
RULE_NAME: Final = "rule"
CALIBRATED_RULE: Final = "last"
"""rv60 alone as a probability: the fair opponent."""
