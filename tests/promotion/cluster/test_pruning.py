"""Which models' ConfigMaps may go."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from promotion.cluster.pruning import to_prune
from serving.control import VARIANTS
from tests.promotion.cluster.fake_objects import model

VERSION = st.text("0123456789abcdef", min_size=12, max_size=12)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(VARIANTS), VERSION, st.integers(0, 9)), unique=True),
    st.integers(0, 4),
    st.data(),
)
def test_pruning_keeps_what_is_needed_and_new(
    made: list[tuple[str, str, int]], keep: int, data: st.DataObject
) -> None:
    """What any specification needs stays, and the newest of each variant; all else goes."""
    bodies: list[Any] = [
        {
            "metadata": {
                "name": model(variant, version).name + str(age),
                "creationTimestamp": f"2026-11-22T20:00:0{age}Z",
                "labels": {"crypto-volatility/variant": variant},
            }
        }
        for variant, version, age in made
    ]
    names = [body["metadata"]["name"] for body in bodies]
    used = data.draw(st.sets(st.sampled_from(names)) if names else st.just(set()))
    specs = [{"volumes": [{"name": "m", "configMap": {"name": name}}]} for name in used]
    gone = to_prune(bodies, specs, keep)
    assert not used & set(gone)
    for variant in VARIANTS:
        own = sorted(
            (b for b in bodies if b["metadata"]["labels"]["crypto-volatility/variant"] == variant),
            key=lambda b: (b["metadata"]["creationTimestamp"], b["metadata"]["name"]),
        )
        order = [body["metadata"]["name"] for body in own]
        newest = order[len(order) - min(keep, len(order)) :]
        assert [n for n in order if n in gone] == [
            n for n in order if n not in used and n not in newest
        ]


def test_optional_references_keep_nothing() -> None:
    """Drift mounts all that is kept, and so keeps none by it."""
    body = {
        "metadata": {"name": "x", "labels": {"crypto-volatility/variant": "ml"}},
    }
    spec = {
        "volumes": [{"projected": {"sources": [{"configMap": {"name": "x", "optional": True}}]}}]
    }
    assert to_prune([body], [spec], 0) == ["x"]
