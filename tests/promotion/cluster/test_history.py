"""A table of revisions: each time in it is of what the row says, also after an undo by hand."""

from typing import Any

import pytest

from promotion.cluster.history import lines_of, rolled_out, rows_of
from promotion.cluster.record import MANAGER, PROMOTION, PromotionRecord
from tests.promotion.cluster.fake_objects import FULLNAME, template_of

OLD, NEW = "a" * 12, "b" * 12
BASE = "c" * 12
FIRST, PROMOTED, MADE = "2026-11-23T00:03:52Z", "2026-11-23T00:04:44+00:00", "2026-11-23T00:04:45Z"
UNDONE, LATER = "2026-11-23T08:15:09Z", "2026-11-23T09:30:00+00:00"


def record(when: str = PROMOTED, to: str = NEW, until: str | None = None) -> PromotionRecord:
    """Return the record of a promotion by ada."""
    return PromotionRecord(
        when=when,
        who="ada",
        action="promote",
        because="a better fit",
        from_={"ml": OLD, "baseline": BASE},
        to={"ml": to, "baseline": BASE},
        before={"ml": OLD, "baseline": BASE},
        until=until,
    )


def revision(
    number: int, ml: str, made: str, earlier: str = "", of: PromotionRecord | None = None
) -> dict[str, Any]:
    """Return a ReplicaSet; ``earlier`` are the revisions that it was before."""
    annotations = {"deployment.kubernetes.io/revision": str(number)}
    if earlier:
        annotations["deployment.kubernetes.io/revision-history"] = earlier
    if of is not None:
        annotations[PROMOTION] = of.text()
    return {
        "metadata": {"annotations": annotations, "creationTimestamp": made},
        "spec": {"template": template_of(ml, BASE)},
    }


def deployment(number: int, rolled: str | None = UNDONE, owner: str = "") -> dict[str, Any]:
    """Return the Deployment at a revision; ``owner`` wrote the record that it has."""
    meta: dict[str, Any] = {"annotations": {"deployment.kubernetes.io/revision": str(number)}}
    if owner:
        fields = {"f:metadata": {"f:annotations": {f"f:{PROMOTION}": {}}}}
        meta["managedFields"] = [
            {"manager": "helm", "fieldsV1": {"f:spec": {}}},
            {"manager": owner, "fieldsV1": fields},
        ]
    available = {"type": "Available", "lastUpdateTime": FIRST}
    progress = {"type": "Progressing", "lastUpdateTime": rolled}
    status = {"conditions": [available, progress]} if rolled else {}
    return {"metadata": meta, "spec": {"template": template_of(OLD, BASE)}, "status": status}


def shown(sets: list[dict[str, Any]], now: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return revision, time, person and deed of each row."""
    rows = rows_of(sets, now, FULLNAME)
    return [(row["revision"], row["when"], row["who"], row["did"]) for row in rows]


def test_what_came_first_has_the_time_of_its_replica_set() -> None:
    """The chart's revision has no record, a promotion its own."""
    sets = [revision(2, NEW, MADE, of=record()), revision(1, OLD, FIRST)]
    assert shown(sets, deployment(2, LATER, MANAGER)) == [
        (1, FIRST, None, None),
        (2, PROMOTED, "ada", "promote"),
    ]


def test_an_undo_by_hand_has_its_own_time() -> None:
    """The chart's model serves again since the undo, not since its first rollout."""
    sets = [revision(2, NEW, MADE, of=record()), revision(3, OLD, FIRST, earlier="1")]
    assert shown(sets, deployment(3, UNDONE)) == [
        (2, PROMOTED, "ada", "promote"),
        (3, UNDONE, None, "restored"),
    ]


def test_an_undo_of_an_undo_keeps_who_promoted_and_says_when_it_was_put_back() -> None:
    """Its record is of the first time; of the revision between nobody knows the time."""
    sets = [
        revision(3, OLD, FIRST, earlier="1"),
        revision(4, NEW, MADE, earlier="2", of=record()),
    ]
    assert shown(sets, deployment(4, UNDONE, "kubectl")) == [
        (3, None, None, "restored"),
        (4, UNDONE, "ada", "promote, restored"),
    ]


def test_going_back_by_a_promotion_has_a_record_of_its_own() -> None:
    """It is later than the ReplicaSet, and the time is the record's."""
    back = record(LATER, OLD)
    sets = [revision(2, NEW, MADE, of=record()), revision(3, OLD, FIRST, earlier="1", of=back)]
    assert shown(sets, deployment(3, UNDONE, MANAGER))[-1] == (3, LATER, "ada", "promote")


def test_an_undo_to_what_a_promotion_went_back_to_is_by_others() -> None:
    """The record is later than the ReplicaSet, but somebody else put it there again."""
    back = record("2026-11-23T05:00:00+00:00", OLD)
    sets = [revision(5, OLD, FIRST, earlier="1,3", of=back)]
    assert shown(sets, deployment(5, UNDONE, "kubectl")) == [
        (5, UNDONE, "ada", "promote, restored")
    ]


def test_a_promotion_that_was_not_finished_says_so() -> None:
    """Also one that was put back."""
    under_way = record(until=LATER)
    assert shown([revision(2, NEW, MADE, of=under_way)], deployment(2)) == [
        (2, PROMOTED, "ada", "promote, not finished")
    ]


def test_a_record_of_other_models_is_none() -> None:
    """The chart changed them since."""
    (row,) = rows_of([revision(3, OLD, FIRST, of=record())], deployment(3), FULLNAME)
    assert row["record"] is None and row["ml"] == OLD and row["who"] is None


@pytest.mark.parametrize("said", [{}, {"status": None}, {"status": {"conditions": []}}])
def test_without_a_condition_there_is_no_time(said: dict[str, Any]) -> None:
    """A Deployment that is new says nothing yet."""
    assert rolled_out(said) is None


def test_the_table_says_what_is_in_place() -> None:
    """With a dash for what nobody knows."""
    rows = rows_of([revision(3, OLD, FIRST, earlier="1")], deployment(3, None), FULLNAME)
    head, line, last = lines_of(rows, deployment(3), FULLNAME)
    assert line.split() == ["3", "–", "–", "restored", OLD, BASE, "–"]
    assert last == f"in place: ml {OLD}, baseline {BASE}, revision 3"
    assert head.split()[:2] == ["revision", "when"]
