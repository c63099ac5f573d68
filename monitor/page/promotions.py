"""Which model served from when on: as predictions tell it, and as somebody switched it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from scorer.prediction import Prediction
from serving.control import Control

MOST: Final = 50
MOST_CHANGES: Final = 1_000
TOGETHER_US: Final = 60_000_000
"""Products that come to a model within a minute came to it together."""


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """A model that predictions came from, or a variant that was chosen.

    ``at_us`` is the wall clock (epoch µs): of the first score, or of the choice. ``served`` has a
    ``version`` and the ``products``, by name; ``switched`` says ``by`` whom.
    """

    kind: Literal["served", "switched"]
    at_us: int
    variant: str
    version: str | None = None
    products: tuple[str, ...] = ()
    by: str | None = None


@dataclass(frozen=True, slots=True)
class _Taken:
    """A product's model, ``(variant, version)``, at the time of a score."""

    product_id: str
    at_us: int
    model: tuple[str, str]


class Promotions:
    """What predictions tell: a line where a product's variant or version is another."""

    def __init__(self) -> None:
        self._newest: dict[str, _Taken] = {}
        self._changes: list[_Taken] = []

    @property
    def lines(self) -> list[Promotion]:
        """Return the last lines, oldest first; products that came together stand in one."""
        found = list[Promotion]()
        for change in sorted(self._changes, key=lambda each: each.at_us):
            near = (at for at, line in enumerate(found) if _is_together(line, change))
            at = next(near, None)
            if at is None:
                found.append(_line(change, ()))
            else:
                products = _line(change, found[at].products).products
                found[at] = replace(found[at], products=products)
        return found[-MOST:]

    def take(self, prediction: Prediction) -> None:
        """Take the next prediction of its product."""
        p = prediction
        taken = _Taken(p.product_id, p.scored_us, (p.model_variant, p.version))
        before = self._newest.get(p.product_id)
        self._newest[p.product_id] = taken
        if before is None or before.model != taken.model:
            self._changes = [*self._changes, taken][-MOST_CHANGES:]

    def adopt(self, past: "Promotions") -> None:
        """Put what was read back before what came since, which it may reach into."""
        newest, later = dict(past._newest), list[_Taken]()
        for change in self._changes:
            before = newest.get(change.product_id)
            if before is None or (change.at_us > before.at_us and change.model != before.model):
                later.append(change)
                newest[change.product_id] = change
        self._changes = [*past._changes, *later][-MOST_CHANGES:]
        self._newest = past._newest | self._newest


def _is_together(line: Promotion, change: _Taken) -> bool:
    is_near = change.at_us - line.at_us <= TOGETHER_US
    is_new = change.product_id not in line.products
    return is_near and is_new and (line.variant, line.version) == change.model


def _line(change: _Taken, others: tuple[str, ...]) -> Promotion:
    variant, version = change.model
    return Promotion(
        kind="served",
        at_us=change.at_us,
        variant=variant,
        version=version,
        products=tuple(sorted({*others, change.product_id})),
    )


def promotions_of(lines: Sequence[Promotion], controls: Iterable[Control]) -> list[Promotion]:
    """Return what predictions told and what was chosen, newest first.

    >>> control = Control(variant="baseline", changed_by="ann", changed_us=7)
    >>> [(each.kind, each.variant, each.by) for each in promotions_of([], [control])]
    [('switched', 'baseline', 'ann')]
    """
    switched = (
        Promotion(kind="switched", at_us=c.changed_us, variant=c.variant, by=c.changed_by)
        for c in controls
    )
    return sorted([*lines, *switched], key=lambda line: line.at_us, reverse=True)[:MOST]
