"""Which models a Deployment's revisions asked for, by whom, when and why: a table."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from promotion.cluster.model_map import Json
from promotion.cluster.record import (
    MANAGER,
    PROMOTION,
    PromotionRecord,
    name_of,
    record_of,
    revision_of,
)
from promotion.cluster.template import served, versions

HEAD: Final = ("revision", "when", "who", "did", "ml", "baseline", "why")
EARLIER: Final = "deployment.kubernetes.io/revision-history"
"""What the controller writes on a ReplicaSet that it goes back to: the revisions it was before."""
_NONE: Final = "–"
_CLOCKS: Final = timedelta(seconds=10)
"""So far the clock of who promotes may be before the API server's."""


def rows_of(replica_sets: Iterable[Json], deployment: Json, fullname: str) -> list[dict[str, Any]]:
    """Return what each revision that is kept asked for, oldest first.

    A revision with models that no record is of came by the chart, or by hand. One that was put
    back later, without a record of that, is ``restored``: its time is when that rollout was over,
    for the revision in place; of an earlier one nobody knows it any more.
    """
    return [_row(each, deployment, fullname) for each in sorted(replica_sets, key=revision_of)]


def rolled_out(deployment: Json) -> str | None:
    """Return when the newest rollout was over, or last got on (RFC 3339); None if nothing says so.

    Scaling, and changes that make no pods, do not move it.
    """
    conditions = (deployment.get("status") or {}).get("conditions") or ()
    found = (each for each in conditions if each["type"] == "Progressing")
    return next((each.get("lastUpdateTime") for each in found), None)


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


def _row(each: Json, deployment: Json, fullname: str) -> dict[str, Any]:
    models, record = versions(each["spec"]["template"], fullname), record_of(each)
    if record is not None and record.to != models:
        record = None
    in_place = revision_of(each) == revision_of(deployment)
    restored = _restored(each, record) or (in_place and _reused(each) and _by_others(deployment))
    when = record.when if record else each["metadata"].get("creationTimestamp")
    if restored:
        when = rolled_out(deployment) if in_place else None
    return {
        "revision": revision_of(each),
        "when": when,
        "who": record and record.who,
        "did": _did(record, restored),
        "ml": _move(record, "ml") if record else models.get("ml"),
        "baseline": _move(record, "baseline") if record else models.get("baseline"),
        "why": record and record.because,
        "restored": restored,
        "record": msgspec.to_builtins(record) if record else None,
    }


def _did(record: PromotionRecord | None, restored: bool) -> str | None:
    """Say what brought a revision: a promotion, over or not, and whether it was put back later."""
    words: list[str] = [record.action] if record else []
    if record is not None and record.until is not None:
        words.append("not finished")
    return ", ".join([*words, *(["restored"] if restored else [])]) or None


def _reused(replica_set: Json) -> bool:
    return bool((replica_set["metadata"].get("annotations") or {}).get(EARLIER))


def _restored(replica_set: Json, record: PromotionRecord | None) -> bool:
    """Say whether a revision was gone back to, and its record, if any, is of the first time.

    A promotion's record is made before its ReplicaSet; that of a later one, long after.
    """
    if not _reused(replica_set):
        return False
    if record is None:
        return True
    made = datetime.fromisoformat(replica_set["metadata"]["creationTimestamp"])
    return datetime.fromisoformat(record.when) <= made + _CLOCKS


def _by_others(deployment: Json) -> bool:
    """Say whether somebody else than a promotion wrote the record that a Deployment has now."""
    entries = deployment["metadata"].get("managedFields") or ()
    owners = {
        each["manager"]
        for each in entries
        if f"f:{PROMOTION}"
        in each.get("fieldsV1", {}).get("f:metadata", {}).get("f:annotations", {})
    }
    return bool(owners) and MANAGER not in owners


def _move(record: PromotionRecord, variant: str) -> str:
    before, after = record.from_.get(variant, "none"), record.to[variant]
    return after if before == after else f"{before} → {after}"
