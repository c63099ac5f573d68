"""What revisions say of promotions, and the way back by them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from promotion.cluster.errors import ClusterError
from promotion.cluster.record import PromotionRecord, models_before, record_of, under_way
from tests.promotion.cluster.fake_objects import (
    FULLNAME,
    body_of,
    named,
    source,
    template_of,
)


def record(old: str, new: str, before: str | None, **more: Any) -> PromotionRecord:
    """Return the record of a change of ml, beside a baseline that stays."""
    return PromotionRecord(
        when="2026-11-22T20:00:00+00:00",
        who="ada",
        action="promote",
        because=None,
        from_={"ml": old, "baseline": "b"},
        to={"ml": new, "baseline": "b"},
        before=None if before is None else {"ml": before, "baseline": "b"},
        until=more.get("until"),
    )


def revision(number: int, ml: str, made: PromotionRecord | None) -> dict[str, Any]:
    """Return a ReplicaSet with these models and this record."""
    annotations = {"deployment.kubernetes.io/revision": str(number)}
    annotations |= made.annotations() if made else {}
    return {"metadata": {"annotations": annotations}, "spec": {"template": template_of(ml, "b")}}


def test_a_record_says_its_cause() -> None:
    """The change-cause names what moved, by whom and why; what stays is left out."""
    made = record("a", "c", None)
    assert made.cause() == "promote ml a → c by ada"
    assert record_of({"metadata": {"annotations": made.annotations()}}) == made
    assert record_of({"metadata": {"annotations": {"crypto-volatility/promotion": ""}}}) is None


def test_the_way_back_is_the_records() -> None:
    """With records one walks back; each revision carries its own."""
    sets = [revision(1, "a", None), revision(2, "c", record("a", "c", "a"))]
    sets.append(revision(3, "d", record("c", "d", "c")))
    wanted, came = models_before(sets[2], sets, FULLNAME)
    assert wanted == {"ml": "c", "baseline": "b"} and came == record("a", "c", "a")


def test_the_way_back_without_a_record() -> None:
    """What the chart or a hand put in place leads to the newest revision with other models."""
    sets = [revision(1, "a", None), revision(2, "c", None), revision(3, "c", None)]
    assert models_before(sets[2], sets, FULLNAME) == ({"ml": "a", "baseline": "b"}, None)
    stale = revision(4, "e", record("a", "c", "a"))
    assert models_before(stale, [*sets, stale], FULLNAME)[0] == {"ml": "c", "baseline": "b"}
    with pytest.raises(ClusterError, match="found no models before"):
        models_before(sets[0], sets[:1], FULLNAME)


def test_a_promotion_is_under_way_for_its_time() -> None:
    """A record with an end in the future keeps others away, until then."""
    made = revision(1, "c", record("a", "c", "a", until="2026-11-22T20:10:00+00:00"))
    assert under_way(made, datetime(2026, 11, 22, 20, 5, tzinfo=UTC)) is not None
    assert under_way(made, datetime(2026, 11, 22, 20, 15, tzinfo=UTC)) is None


def test_names_of_pairs(pairs: list[Path]) -> None:
    """The source of a restored model names its own files."""
    body = body_of(pairs[0] / "baseline")
    found = source(body, "baseline")["configMap"]
    assert found["name"].endswith(named(pairs[0])["baseline"])
    assert "model.joblib" not in [item["key"] for item in found["items"]]
