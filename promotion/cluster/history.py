"""Which models a Deployment's revisions asked for, by whom, when and why: a table."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from promotion.cluster.model_map import Json
from promotion.cluster.record import PromotionRecord, name_of, record_of, revision_of
from promotion.cluster.template import served, versions

HEAD: Final = ("revision", "when", "who", "did", "ml", "baseline", "why")
_NONE: Final = "–"


def rows_of(replica_sets: Iterable[Json], fullname: str) -> list[dict[str, Any]]:
    """Return what each revision that is kept asked for, oldest first.

    A revision with models that no record is of came by the chart, or by hand.
    """
    return [_row(each, fullname) for each in sorted(replica_sets, key=revision_of)]


def lines_of(rows: Iterable[Json], deployment: Json, fullname: str) -> list[str]:
    """Return the table, and what the Deployment asks for now."""
    cells = [HEAD, *(tuple(str(row[name] or _NONE) for name in HEAD) for row in rows)]
    now = name_of(served(deployment, fullname))
    return [*table(cells), f"in place: {now}, revision {revision_of(deployment)}"]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows as lines, each column as wide as its longest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(each: Json, fullname: str) -> dict[str, Any]:
    models, record = versions(each["spec"]["template"], fullname), record_of(each)
    if record is None or record.to != models:
        return {
            "revision": revision_of(each),
            "when": each["metadata"].get("creationTimestamp"),
            "who": None,
            "did": None,
            "ml": models.get("ml"),
            "baseline": models.get("baseline"),
            "why": None,
            "record": None,
        }
    return {
        "revision": revision_of(each),
        "when": record.when,
        "who": record.who,
        "did": record.action if record.until is None else f"{record.action}, not finished",
        "ml": _move(record, "ml"),
        "baseline": _move(record, "baseline"),
        "why": record.because,
        "record": msgspec.to_builtins(record),
    }


def _move(record: PromotionRecord, variant: str) -> str:
    before, after = record.from_.get(variant, "none"), record.to[variant]
    return after if before == after else f"{before} → {after}"
