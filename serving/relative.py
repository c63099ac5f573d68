"""The model in units of a product's level τ: one for all products, in plain Python.

What goes in is x_w = ln(max(rv_w · √(60/w) / τ, 0.02)) of the windows that are known; what comes
out are the chances that the volatility of the next 60 s reaches τ, and twice τ. For each number
of known windows there are coefficients of their own, so nothing unknown is imputed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log, sqrt
from typing import Any, Final

from featurizer.features import NAMES
from serving.errors import ArtifactError
from serving.linear import logistic

KIND: Final = "relative"
SCHEMA_VERSION: Final = 1
WINDOWS: Final = (60, 300, 900, 3600)
VOLATILITIES: Final = tuple(f"realized_volatility_{window}s" for window in WINDOWS)
LEAST_INPUT: Final = 0.02
"""Below a fiftieth of τ all is equally calm; a market that stands would be minus infinity."""
SCORE: Final = (0.02, 0.95)
SEVERE: Final = (0.001, 0.95)
_MOST_INPUT: Final = 1e300
_POSITIONS: Final = tuple(NAMES.index(name) for name in VOLATILITIES)
_SCALES: Final = tuple(sqrt(60 / window) for window in WINDOWS)


@dataclass(frozen=True, slots=True)
class Chances:
    """P(RV of the next 60 s ≥ τ) and P(≥ 2τ)."""

    score: float
    severe: float


Coefficients = tuple[float, ...]
"""Of log odds: the intercept, then one for each known window, the shortest first."""


@dataclass(frozen=True, slots=True)
class Relative:
    """Two logistic models for each number of known windows; ``base_rates`` where none is known.

    ``score`` and ``severe`` have at k−1 the k+1 coefficients for k known windows. Windows beyond
    the longest that has coefficients are not looked at, so one set is the calibrated rv60 rule.

    >>> rule = Relative("baseline", ((0.0, 2.0),), ((-3.0, 2.0),), Chances(0.1, 0.01))
    >>> rule.chances([0.001, *[None] * (len(NAMES) - 1)], tau=0.001).score
    0.5

    Raises:
        ArtifactError: no set, a length differs, a number is not finite or a rate no chance.
    """

    variant: str
    score: tuple[Coefficients, ...]
    severe: tuple[Coefficients, ...]
    base_rates: Chances

    def __post_init__(self) -> None:
        _check_sets("score", self.score)
        _check_sets("severe", self.severe)
        if len(self.score) != len(self.severe):
            found = f"{len(self.score)} sets of score and {len(self.severe)} of severe"
            raise ArtifactError(f"found {found}, expected as many")
        if not 0.0 < self.base_rates.severe <= self.base_rates.score < 1.0:
            raise ArtifactError(f"found {self.base_rates}, expected 0 < severe <= score < 1")

    @property
    def features(self) -> tuple[str, ...]:
        """The names of what it looks at."""
        return VOLATILITIES[: len(self.score)]

    def chances(self, row: Sequence[float | None], tau: float) -> Chances:
        """Return both chances for one row in the order of ``NAMES``; None and NaN mean unknown.

        Known are the windows before the first unknown one. Sums are plain loops, left to right.

        Raises:
            ValueError: τ is not finite or not above 0.
        """
        inputs = inputs_of(row, tau, len(self.score))
        if not inputs:
            return _bounded(self.base_rates.score, self.base_rates.severe)
        at = len(inputs) - 1
        return _bounded(_chance(self.score[at], inputs), _chance(self.severe[at], inputs))

    def document(self) -> dict[str, Any]:
        """Return what stands in ``model.json``."""
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": KIND,
            "variant": self.variant,
            "windows": list(WINDOWS[: len(self.score)]),
            "score": [list(each) for each in self.score],
            "severe": [list(each) for each in self.severe],
            "base_rates": {"score": self.base_rates.score, "severe": self.base_rates.severe},
        }

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Relative":
        """Read ``model.json``; raises ``ArtifactError`` when a field is missing or wrong."""
        if document.get("kind") != KIND or document.get("schema_version") != SCHEMA_VERSION:
            found = f"{document.get('kind')!r} {document.get('schema_version')!r}"
            raise ArtifactError(f"model.json is {found}, expected {KIND!r} {SCHEMA_VERSION}")
        try:
            score, severe = (_sets(document[name]) for name in ("score", "severe"))
            rates = {name: float(document["base_rates"][name]) for name in ("score", "severe")}
            windows = list(document["windows"])
            read = cls(str(document["variant"]), score, severe, Chances(**rates))
        except KeyError as exc:
            raise ArtifactError(f"model.json has no {exc}") from exc
        except (TypeError, ValueError) as exc:
            raise ArtifactError(f"model.json holds what is no number: {exc}") from exc
        if windows != list(WINDOWS[: len(score)]):
            raise ArtifactError(f"found windows {windows}, expected the first of {list(WINDOWS)}")
        return read


def inputs_of(
    row: Sequence[float | None], tau: float, windows: int = len(WINDOWS)
) -> tuple[float, ...]:
    """Return what a model of so many windows sees of a row in the order of ``NAMES``.

    These are x_w = ln(max(rv_w · √(60/w) / τ, 0.02)), the shortest first, up to the first unknown.

    >>> inputs_of([0.001, *[None] * (len(NAMES) - 1)], tau=0.001)
    (0.0,)

    Raises:
        ValueError: τ is not finite or not above 0.
    """
    check_tau(tau)
    found: list[float] = []
    for position, scale in zip(_POSITIONS[:windows], _SCALES, strict=False):
        x = row[position]
        if x is None or x != x:
            break
        found.append(log(min(max(x * scale / tau, LEAST_INPUT), _MOST_INPUT)))
    return tuple(found)


def check_tau(tau: float) -> None:
    """Raise ``ValueError`` unless τ (log return over 60 s) is finite and above 0."""
    if not (isfinite(tau) and tau > 0.0):
        raise ValueError(f"found tau {tau}, expected a finite number above 0")


def _chance(coefficients: Coefficients, inputs: Sequence[float]) -> float:
    odds = coefficients[0]
    for coefficient, x in zip(coefficients[1:], inputs, strict=True):
        odds += coefficient * x
    return logistic(odds)


def _bounded(score: float, severe: float) -> Chances:
    """Keep both within what the data can tell; what reaches 2τ reaches τ."""
    kept = min(max(score, SCORE[0]), SCORE[1])
    return Chances(kept, min(max(severe, SEVERE[0]), SEVERE[1], kept))


def _sets(found: Any) -> tuple[Coefficients, ...]:
    return tuple(tuple(map(float, each)) for each in found)


def _check_sets(name: str, sets: Sequence[Coefficients]) -> None:
    lengths = [len(each) for each in sets]
    if not 1 <= len(sets) <= len(WINDOWS) or lengths != list(range(2, len(sets) + 2)):
        raise ArtifactError(f"{name} has sets of {lengths} numbers, expected 2, 3, … up to 5")
    if not all(isfinite(x) and abs(x) <= 1e6 for each in sets for x in each):
        raise ArtifactError(f"{name} is {list(sets)}, expected finite numbers")
