"""A logistic model in plain Python: the same bits in the adapter, in MLServer and in replay."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, isfinite, log
from typing import Any, Final

from featurizer.features import NAMES
from serving.errors import ArtifactError

KIND: Final = "linear"
SCHEMA_VERSION: Final = 1
_NUMBERS: Final = ("impute", "mean", "scale", "coef")
_LIMIT: Final = 1e150
"""Deviations beyond it are cut: some dozens of them, times a coefficient, stay finite."""


@dataclass(frozen=True, slots=True)
class Log:
    """A feature goes in as ln(max(x, floor)); ``floor`` is in the feature's unit, above 0.

    Volatilities differ by a factor between calm and wild hours; their logarithms by a step.
    """

    floor: float

    def __call__(self, x: float) -> float:
        """Return the logarithm; an infinity comes out as it came in, to be refused by name."""
        return log(max(x, self.floor)) if isfinite(x) else x

    def document(self) -> dict[str, Any]:
        """Return what stands in ``model.json``."""
        return {"kind": "log", "floor": self.floor}


@dataclass(frozen=True, slots=True)
class Linear:
    """score = 1/(1+exp(−(intercept + Σ coef·(x−mean)/scale))); an unknown x is ``impute``.

    ``features`` are the names used, each with its numbers at the same position of the
    other fields; ``impute``, ``mean`` and ``scale`` are in the feature's unit.
    Where ``transform`` is given, it has a ``Log`` or None for each feature: a known or imputed
    x goes through it first, and ``mean`` and ``scale`` are in the logarithm's unit.

    >>> volatility = ("realized_volatility_60s",)
    >>> z = Linear("baseline", volatility, (0.001,), (0.001,), (0.0005,), (2.0,), 0.0)
    >>> z.score([0.001, *[None] * (len(NAMES) - 1)])
    0.5

    Raises:
        ArtifactError: a name is unknown or twice, a length differs, a number is not finite
            or a scale or a logarithm's floor is not above 0.
    """

    variant: str
    features: tuple[str, ...]
    impute: tuple[float, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    coef: tuple[float, ...]
    intercept: float
    transform: tuple[Log | None, ...] = ()
    _terms: tuple[tuple[int, float, float, float, float, Log | None], ...] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        positions = positions_of(self.features)
        for name in _NUMBERS:
            _check(name, getattr(self, name), len(positions))
        _check("intercept", (self.intercept,), 1)
        if min(self.scale) <= 0:
            raise ArtifactError(f"scale has {min(self.scale)}, expected numbers above 0")
        logs = self.transform or (None,) * len(positions)
        _check(
            "transform", tuple(1.0 if way is None else way.floor for way in logs), len(positions)
        )
        if any(way is not None and way.floor <= 0 for way in logs):
            raise ArtifactError(f"transform is {list(logs)}, expected floors above 0")
        terms = zip(positions, self.impute, self.mean, self.scale, self.coef, logs, strict=True)
        object.__setattr__(self, "_terms", tuple(terms))

    def score(self, row: Sequence[float | None]) -> float:
        """Return the probability of a spike, in [0, 1], for one row in the order of ``NAMES``.

        None and NaN mean unknown. The sum is a plain loop, left to right: ``sum`` adds
        differently from Python 3.12 on, and replay wants equal bits.

        Raises:
            ValueError: the row has not one value for each of ``NAMES``, or an infinite one.
        """
        if len(row) != len(NAMES):
            raise ValueError(f"found {len(row)} values, expected {len(NAMES)}")
        logit = self.intercept
        for position, impute, mean, scale, coef, way in self._terms:
            x = row[position]
            if x is None or x != x:
                x = impute
            if way is not None:
                x = way(x)
            logit += coef * ((x - mean) / scale)
        return logistic(logit) if isfinite(logit) else self._extreme(row)

    def _extreme(self, row: Sequence[float | None]) -> float:
        """Score a row whose plain sum leaves the range of floats."""
        logit = self.intercept
        for position, impute, mean, scale, coef, way in self._terms:
            x = row[position]
            if x is None or x != x:
                x = impute
            if not isfinite(x):
                raise ValueError(f"{NAMES[position]} is {x}, expected a finite number or null")
            if way is not None:
                x = way(x)
            logit += coef * min(max((x - mean) / scale, -_LIMIT), _LIMIT)
        return logistic(logit)

    def document(self) -> dict[str, Any]:
        """Return what stands in ``model.json``; ``transform`` only where a feature has one."""
        head = {"schema_version": SCHEMA_VERSION, "kind": KIND, "variant": self.variant}
        numbers = {name: list(getattr(self, name)) for name in _NUMBERS}
        ways = [way and way.document() for way in self.transform]
        tail = {"transform": ways} if any(ways) else {}
        head |= {"features": list(self.features)}
        return head | numbers | {"intercept": self.intercept} | tail

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Linear":
        """Read ``model.json``; raises ``ArtifactError`` when a field is missing or wrong."""
        if document.get("kind") != KIND or document.get("schema_version") != SCHEMA_VERSION:
            found = f"{document.get('kind')!r} {document.get('schema_version')!r}"
            raise ArtifactError(f"model.json is {found}, expected {KIND!r} {SCHEMA_VERSION}")
        try:
            return cls(
                variant=str(document["variant"]),
                features=tuple(document["features"]),
                intercept=float(document["intercept"]),
                transform=tuple(map(_way, document.get("transform", ()))),
                **{name: tuple(map(float, document[name])) for name in _NUMBERS},
            )
        except KeyError as exc:
            raise ArtifactError(f"model.json has no {exc}") from exc
        except (TypeError, ValueError) as exc:
            raise ArtifactError(f"model.json holds what is no number: {exc}") from exc


def logistic(logit: float) -> float:
    """Return 1/(1+exp(−logit)) without overflow at either end."""
    if logit >= 0:
        return 1.0 / (1.0 + exp(-logit))
    odds = exp(logit)
    return odds / (1.0 + odds)


def positions_of(features: Sequence[str]) -> tuple[int, ...]:
    """Return the places of these features in a row; raises ``ArtifactError`` for a strange name."""
    strange = [name for name in features if name not in NAMES]
    if strange or not features or len(set(features)) != len(features):
        found = strange or list(features)
        raise ArtifactError(f"found features {found}, expected some of {list(NAMES)}, each once")
    return tuple(NAMES.index(name) for name in features)


def _way(document: Any) -> Log | None:
    if document is None:
        return None
    if not isinstance(document, dict) or document.get("kind") != "log":
        raise ArtifactError(f"found the transform {document!r}, expected null or a log")
    return Log(float(document["floor"]))


def _check(name: str, values: tuple[float, ...], length: int) -> None:
    if len(values) != length:
        raise ArtifactError(f"{name} has {len(values)} numbers, expected {length}")
    if not all(map(isfinite, values)):
        raise ArtifactError(f"{name} is {list(values)}, expected finite numbers")
