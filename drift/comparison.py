"""Drift: whether the last window still looks like what the model learned from.

Rows a second apart share nearly all of their windows, so a test that counts them as independent
(Kolmogorov–Smirnov, Anderson–Darling and their p-values) finds drift always. Therefore: one row
a minute, a **distance** instead of a p-value, and thresholds measured on generated markets in
which nothing had changed (``docs/drift.md``). Evidently stands behind ``evidently_report``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum, isfinite, log, sqrt
from statistics import median
from typing import Any, Final, Literal

from featurizer.features import FEATURES, NAMES
from featurizer.statistic import Statistic
from serving.reference import ProductReference

SCORE: Final = "score"
COMPARED: Final = tuple(feature.name for feature in FEATURES if feature.window <= 300)
"""A window of an hour has one or four values of a feature over so long: too few to tell."""
COLUMNS: Final = (*COMPARED, SCORE)
WINDOW_SECONDS: Final = 3_600
STEP_SECONDS: Final = 60
"""One row a minute: two of them share no second of the windows of 60 s and less."""
LEAST_ROWS: Final = 45
"""Of the 60 a window can have; with 30, unchanged markets are a third to a half further apart."""
LEAST_REFERENCE: Final = 1_800
"""Seconds of training rows: half an hour is six values of a feature over 300 s."""
SHORT_THRESHOLD: Final = 0.65
LONG_THRESHOLD: Final = 1.0
"""Reference deviations. A window holds 60 independent values of a feature over 60 s, and 12 of
one over 300 s, whose distances are therefore twice as large where nothing has changed."""
SHARE: Final = 0.25
"""From this share of drifted columns on, a product has drifted: four of thirteen, one of four."""
LEAST_KNOWN: Final = 0.5
"""A column known in fewer rows than this share is unknown on that side."""
FLOOR: Final = 0.01
"""Logarithms are cut at this part of the reference's median."""

State = Literal[
    "compared",
    "too_few_rows",
    "stale",
    "no_rows",
    "no_predictions",
    "other_model",
    "no_reference",
    "short_reference",
    "no_level",
]
STATES: Final[tuple[State, ...]] = (
    "compared",
    "too_few_rows",
    "stale",
    "no_rows",
    "no_predictions",
    "other_model",
    "no_reference",
    "short_reference",
    "no_level",
)
Values = Sequence[float | None]
Columns = Mapping[str, Values]
Known = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """One column: ``value`` is its distance in reference deviations, None where not comparable.

    ``known_window`` and ``known_reference`` are the shares of rows that know it. A column that
    the reference knows and the window does not has drifted; the other way round it is left out
    (``drifted`` None), as the model does not use what its training rows lacked.
    """

    value: float | None
    threshold: float
    known_window: float
    known_reference: float
    drifted: bool | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known of one product; all but ``state`` and the counts only where ``compared``.

    ``seconds`` is how far back its rows reach.
    """

    product: str
    state: State
    rows: int = 0
    reference_rows: int = 0
    columns: Mapping[str, ColumnDrift] = field(default_factory=dict)
    html: bytes | None = None
    seconds: int = WINDOW_SECONDS

    @property
    def share(self) -> float | None:
        """The share of drifted columns among the comparable ones, None where there is none."""
        flags = [c.drifted for c in self.columns.values() if c.drifted is not None]
        return sum(flags) / len(flags) if flags else None

    @property
    def detected(self) -> bool | None:
        """Whether the product has drifted; None where nothing could be compared."""
        return None if self.share is None else self.share >= SHARE


@dataclass(frozen=True, slots=True)
class Scale:
    """How a column is brought to deviations of its reference: (way(x) − mean) / deviation.

    ``floor`` above 0 means that the logarithm is taken, cut there.
    """

    mean: float
    deviation: float
    floor: float

    def __call__(self, x: float) -> float:
        """Return one value in reference deviations."""
        return (self._way(x) - self.mean) / self.deviation

    def _way(self, x: float) -> float:
        return log(max(x, self.floor)) if self.floor > 0 else x

    @classmethod
    def of(cls, column: str, reference: Sequence[float]) -> "Scale":
        """Measure the reference.

        Volatilities, spreads and intensities differ by factors between hours, so their
        logarithms are compared. Evidently's own norm, max(deviation, 0.001), would make every
        distance of a volatility of 1e-4 next to nothing.
        """
        floor = FLOOR * median(reference) if column in _POSITIVE else 0.0
        plain = cls(0.0, 1.0, floor)
        values = [plain(x) for x in reference]
        mean = fsum(values) / len(values)
        deviation = sqrt(fsum((x - mean) ** 2 for x in values) / len(values))
        return cls(mean, deviation or abs(mean) or 1.0, floor)


Measured = tuple[dict[str, float], bytes | None]
Report = Callable[[Known, Known, Mapping[str, float]], Measured]
"""Window and reference columns in deviations, thresholds → distances and a page of HTML."""

_POSITIVE: Final = frozenset(
    f.name for f in FEATURES if isinstance(f.statistic, Statistic) and not f.statistic.signed
)
_SHORT: Final = frozenset(f.name for f in FEATURES if f.window <= STEP_SECONDS)


def threshold_of(column: str) -> float:
    """Return the distance from which on a column has drifted, in reference deviations."""
    return SHORT_THRESHOLD if column in _SHORT else LONG_THRESHOLD


def compare(
    product: str, window: Columns, reference: ProductReference, report: Report
) -> Comparison:
    """Compare a product's window, one row a minute, with the rows its model learned from."""
    rows, stored = len(window[SCORE]), len(reference.rows)
    if reference.of_rows < LEAST_REFERENCE:
        return Comparison(product, "short_reference", rows, stored)
    if rows < LEAST_ROWS:
        return Comparison(product, "too_few_rows", rows, stored)
    base = reference_columns(reference)
    both = [c for c in COLUMNS if _share(window[c]) >= LEAST_KNOWN <= _share(base[c])]
    scales = {c: Scale.of(c, _known(base[c])) for c in both}
    thresholds = {c: threshold_of(c) for c in both}
    values, html = report(_scaled(window, scales), _scaled(base, scales), thresholds)
    columns = {c: _column_drift(c, values.get(c), window[c], base[c]) for c in COLUMNS}
    return Comparison(product, "compared", rows, stored, columns, html)


def reference_columns(reference: ProductReference) -> dict[str, Values]:
    """Return a product's reference column by column, the score's last."""
    columns: dict[str, Values] = {
        name: [row[at] for row in reference.rows]
        for at, name in enumerate(NAMES)
        if name in COMPARED
    }
    return columns | {SCORE: reference.scores}


def evidently_report(window: Known, reference: Known, thresholds: Mapping[str, float]) -> Measured:
    """Measure by Evidently: the Wasserstein distance of each column, and its report as HTML.

    The columns come in deviations of the reference, so that Evidently's norm is 1. The import
    takes seconds, which is why it stands here.
    """
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    names = list(thresholds)
    if not names:
        return {}, None

    def dataset(columns: Known) -> Any:
        # Columns differ in length by what is unknown: pandas pads them with NaN.
        frame = pd.DataFrame({name: pd.Series(columns[name], dtype=float) for name in names})
        definition = DataDefinition(numerical_columns=names)
        return Dataset.from_pandas(frame, data_definition=definition)

    preset = DataDriftPreset(
        columns=names,
        method="wasserstein",
        drift_share=SHARE,
        per_column_threshold=dict(thresholds),
    )
    found = Report([preset], include_tests=True).run(dataset(window), dataset(reference))
    metrics = [m["config"] | {"value": m["value"]} for m in found.dict()["metrics"]]
    values = {str(m["column"]): float(m["value"]) for m in metrics if "column" in m}
    return values, found.get_html_str(as_iframe=False).encode()


def _column_drift(column: str, value: float | None, window: Values, base: Values) -> ColumnDrift:
    threshold, known, expected = threshold_of(column), _share(window), _share(base)
    drifted: bool | None = None if value is None else value >= threshold
    if expected >= LEAST_KNOWN > known:
        drifted = True
    return ColumnDrift(value, threshold, known, expected, drifted)


def _known(values: Values) -> list[float]:
    return [x for x in values if x is not None and isfinite(x)]


def _share(values: Values) -> float:
    return len(_known(values)) / len(values) if values else 0.0


def _scaled(columns: Columns, scales: Mapping[str, Scale]) -> dict[str, list[float]]:
    return {name: [scale(x) for x in _known(columns[name])] for name, scale in scales.items()}
