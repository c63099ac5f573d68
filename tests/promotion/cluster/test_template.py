"""Pod templates that mount models."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promotion.cluster.errors import ClusterError
from promotion.cluster.template import needed, served, versions, with_kept, with_models
from serving.control import VARIANTS
from tests.promotion.cluster.fake_objects import (
    FILES,
    FULLNAME,
    deployment,
    model,
    projected,
    template_of,
)

VERSION = st.text("0123456789abcdef", min_size=12, max_size=12)


@settings(deadline=None)
@given(st.tuples(VERSION, VERSION), st.tuples(VERSION, VERSION))
def test_models_change_and_nothing_else(old: tuple[str, str], new: tuple[str, str]) -> None:
    """The template with other models is the one the chart would render, and back again."""
    before = template_of(*old)
    kept = copy.deepcopy(before)
    after = with_models(
        before, FULLNAME, {v: model(v, n) for v, n in zip(VARIANTS, new, strict=True)}
    )
    assert after == template_of(*new)
    assert versions(after, FULLNAME) == dict(zip(VARIANTS, new, strict=True))
    back = with_models(
        after, FULLNAME, {v: model(v, n) for v, n in zip(VARIANTS, old, strict=True)}
    )
    assert back == before == kept


def test_files_are_those_of_the_new_model() -> None:
    """A model with other files than the one before is mounted with its own."""
    few = model("ml", "b" * 12, ("SHA256SUMS", "model.json"))
    after = with_models(template_of("a" * 12, "c" * 12), FULLNAME, {"ml": few})
    (found,) = (
        each["configMap"]["items"]
        for each in after["spec"]["volumes"][1]["projected"]["sources"]
        if each["configMap"]["name"] == few.name
    )
    assert [item["path"] for item in found] == ["ml/SHA256SUMS", "ml/model.json"]


@settings(deadline=None)
@given(st.sets(st.tuples(st.sampled_from(VARIANTS), VERSION), min_size=1))
def test_drift_has_all_that_are_kept(kept: set[tuple[str, str]]) -> None:
    """Each kept model has a folder of its own, by name, and none is needed to start."""
    models = [model(*each) for each in kept]
    first = projected(model("ml", "a" * 12), "ml-aaaaaaaaaaaa", optional=True)
    before = deployment("drift", [first])["spec"]["template"]
    after = with_kept(before, FULLNAME, models)
    sources = after["spec"]["volumes"][1]["projected"]["sources"]
    assert [each["configMap"]["name"] for each in sources] == sorted(m.name for m in models)
    paths = {item["path"] for each in sources for item in each["configMap"]["items"]}
    assert paths == {f"{m.variant}-{m.version}/{file}" for m in models for file in FILES}
    assert needed(after["spec"]) == set()
    assert with_kept(after, FULLNAME, models) == after


def test_models_by_image_are_refused() -> None:
    """A Deployment without models in ConfigMaps says how it is changed instead."""
    with pytest.raises(ClusterError, match=r"serving\.models\.image"):
        served(deployment("mlserver", []), FULLNAME)
