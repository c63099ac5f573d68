"""Metrics as tables: one row each, made into collectors of ``prometheus_client``.

>>> class Metrics(MetricTable):
...     frames = counter("feed_frames_total", "Frames read", Label("kind", ("ticker", "other")))
>>> registry = CollectorRegistry()
>>> Metrics(registry).frames.labels("ticker").inc()
>>> registry.get_sample_value("feed_frames_total", {"kind": "ticker"})
1.0
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from math import nan
from typing import Any, Final, Generic, Self, TypeVar, overload

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

_MILLISECONDS: Final = (1, 2, 3, 5, 7.5, 10, 15, 20, 30, 40, 60, 80, 100, 150, 250, 500, 800)
_COUNTS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
BUCKETS: Final[Mapping[str, tuple[float, ...]]] = {
    # Alike in all services, so that they can be added up; every bound of an objective is in it.
    "seconds": (*(bound / 1_000 for bound in _MILLISECONDS), 1, 2.5, 5, 10, 30, 60),
    "records": _COUNTS,
    "rows": _COUNTS,
}
"""Upper bounds of a histogram's buckets, by its unit."""
UNITS: Final = frozenset({*BUCKETS, "bytes", "ratio"})

Kind = TypeVar("Kind", bound=MetricWrapperBase)


@dataclass(frozen=True, slots=True)
class Label:
    """A label; series of ``values``, known beforehand, stand at 0 from the start."""

    name: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric(Generic[Kind]):
    """One row: the name is that on ``/metrics``, ``help`` a phrase without a full stop."""

    kind: type[Kind]
    name: str
    help: str
    labels: tuple[Label, ...] = ()

    @property
    def unit(self) -> str:
        """The last word of the name, where it is a unit; else ""."""
        last = self.name.removesuffix("_total").rpartition("_")[2]
        return last if last in UNITS else ""

    def collector(self, registry: CollectorRegistry, known: Mapping[str, Iterable[str]]) -> Kind:
        """Register it; ``known`` are values of labels that only the process knows, by label."""
        more: dict[str, Any] = {"buckets": BUCKETS[self.unit]} if self.kind is Histogram else {}
        names = [label.name for label in self.labels]
        made = self.kind(self.name, self.help, names, unit=self.unit, registry=registry, **more)
        values = [known.get(label.name, label.values) for label in self.labels]
        for each in product(*values) if names else ():
            made.labels(*each)
        return made

    @overload
    def __get__(self, table: None, owner: type) -> Self: ...
    @overload
    def __get__(self, table: "MetricTable", owner: type) -> Kind: ...
    def __get__(self, table: object, owner: type) -> Any:
        """Return the row, of the class; an instance's own attribute, the collector, hides it."""
        return self


def counter(name: str, meaning: str, *labels: Label) -> Metric[Counter]:
    """Return a row of what only grows."""
    return Metric(Counter, name, meaning, labels)


def gauge(name: str, meaning: str, *labels: Label) -> Metric[Gauge]:
    """Return a row of what goes up and down."""
    return Metric(Gauge, name, meaning, labels)


def histogram(name: str, meaning: str, *labels: Label) -> Metric[Histogram]:
    """Return a row of a distribution, in the buckets of its unit."""
    return Metric(Histogram, name, meaning, labels)


class MetricTable:
    """A service's metrics: rows as attributes of the class, collectors as those of an instance."""

    def __init__(self, registry: CollectorRegistry, **known: Iterable[str]) -> None:
        self.registry = registry
        for attribute, row in self.table().items():
            setattr(self, attribute, row.collector(registry, known))

    def take_off(self, label: str, value: str) -> None:
        """Take the gauges of what went away off, as their last values are true no more."""
        for attribute, row in self.table().items():
            if row.kind is Gauge and label in [each.name for each in row.labels]:
                getattr(self, attribute).remove_by_labels({label: value})

    @classmethod
    def table(cls) -> dict[str, Metric[Any]]:
        """Return the rows by attribute, in their order."""
        return {name: row for name, row in vars(cls).items() if isinstance(row, Metric)}


def tables_of(module: str) -> list[type[MetricTable]]:
    """Return the tables of metrics that a module defines, in their order."""
    found = [each for each in vars(import_module(module)).values() if isinstance(each, type)]
    return [each for each in found if issubclass(each, MetricTable) and each.__module__ == module]


def number(value: float | None) -> float:
    """Return what a gauge shows: NaN, never 0, where the value is not known."""
    return nan if value is None else float(value)
