"""Promotion against an API over HTTP: the new models serve on every pod, or the earlier ones."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from promotion.cluster.record import CHANGE_CAUSE, record_of
from promotion.cluster.template import versions
from promotion.config import PromotionSettings
from serving.artifact import load_folder
from serving.control import VARIANTS
from tests.promotion.cluster.fake import (
    FakeCluster,
)
from tests.promotion.cluster.fake_objects import (
    FULLNAME,
    body_of,
    named,
)

MakeRun = Callable[..., Path]

Say = Callable[..., int]


def test_what_stands_in_model_settings_is_promoted(
    cluster: FakeCluster, say: Say, pairs: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every pod serves the new pair, and adapter and drift have it too."""
    assert say("promote", "--who", "ada", "--because", "a better fit") == 0
    new = named(pairs[1])
    assert cluster.serving() == [new, new]
    assert versions(cluster.server("adapter")["spec"]["template"], FULLNAME) == {
        "baseline": new["baseline"]
    }
    drift = json.dumps(cluster.server("drift"))
    assert all(f"{variant}-{new[variant]}/" in drift for variant in VARIANTS)
    said = capsys.readouterr().err
    assert said.count("the golden rows agree") == 2
    assert all(line.endswith(" s)") for line in said.splitlines() if not line.startswith("…"))


def test_who_and_why_are_in_the_cluster(cluster: FakeCluster, say: Say, pairs: list[Path]) -> None:
    """ConfigMap, rollout history and record say who promoted what, when and why."""
    say("promote", "--who", "ada", "--because", "a better fit")
    old, new = named(pairs[0]), named(pairs[1])
    server = cluster.server()
    cause = server["metadata"]["annotations"][CHANGE_CAUSE]
    assert cause.startswith(f"promote ml {old['ml']} → {new['ml']}, baseline")
    assert cause.endswith("by ada: a better fit")
    record = record_of(server)
    assert record is not None and (record.from_, record.to, record.until) == (old, new, None)
    stored = cluster.objects["configmaps"][f"{FULLNAME}-model-ml-{new['ml']}"]
    annotations = stored["metadata"]["annotations"]
    assert (annotations["crypto-volatility/who"], annotations["crypto-volatility/from"]) == (
        "ada",
        old["ml"],
    )


def test_a_model_alone_leaves_the_other(cluster: FakeCluster, say: Say, pairs: list[Path]) -> None:
    """One model folder changes its variant; the adapter, whose baseline stays, is not touched."""
    before = cluster.server("adapter")["metadata"]["generation"]
    assert say("promote", str(pairs[1] / "ml")) == 0
    expected = {"ml": named(pairs[1])["ml"], "baseline": named(pairs[0])["baseline"]}
    assert cluster.serving() == [expected, expected]
    assert cluster.server("adapter")["metadata"]["generation"] == before


def test_a_run_is_promoted(
    cluster: FakeCluster, say: Say, settings: PromotionSettings, make_run: MakeRun
) -> None:
    """A run is named by its id, and its folders must be those that it wrote."""
    run = make_run(settings.runs / "one", 7)
    assert say("promote", "one") == 0
    version = load_folder(run / "candidates" / "logistic_regression").info.version
    assert [pod["ml"] for pod in cluster.serving()] == [version, version]
    shutil.rmtree(run / "candidates" / "baseline")
    shutil.copytree(settings.out / "baseline", run / "candidates" / "baseline")
    assert say("promote", "one") == 1


def test_again_changes_nothing(cluster: FakeCluster, say: Say) -> None:
    """What serves already is verified, without another revision."""
    say("promote")
    generation = cluster.server()["metadata"]["generation"]
    assert say("promote") == 0
    assert cluster.server()["metadata"]["generation"] == generation


@pytest.mark.parametrize(
    ("fault", "seconds"), [("refuses", "60"), ("stalls", "4"), ("garbles", "60")]
)
def test_a_bad_model_is_undone(
    cluster: FakeCluster,
    say: Say,
    pairs: list[Path],
    capsys: pytest.CaptureFixture[str],
    fault: str,
    seconds: str,
) -> None:
    """A model that ends, never gets ready or scores otherwise leaves the earlier one serving."""
    getattr(cluster, fault).add(named(pairs[1])["ml"])
    assert say("promote", "--timeout", seconds) == 1
    old = named(pairs[0])
    assert cluster.serving() == [old, old]
    said = capsys.readouterr().err
    assert f"undone    cv-mlserver: ml {old['ml']}" in said
    assert "undo ml" in cluster.server()["metadata"]["annotations"][CHANGE_CAUSE]
    assert said.splitlines()[-1].startswith("error     ")


def test_why_a_model_was_refused_is_said(
    cluster: FakeCluster, say: Say, pairs: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """The reason comes out of the container's log, where that may be read."""
    cluster.refuses.add(named(pairs[1])["ml"])
    cluster.log = (
        '{"level": "error", "event": "model.refused", "reason": "found no scikit-learn"}\n'
    )
    assert say("promote") == 1
    assert "ended with 0: found no scikit-learn" in capsys.readouterr().err


def test_a_bad_baseline_is_undone_in_the_adapter_too(
    cluster: FakeCluster, say: Say, pairs: list[Path]
) -> None:
    """Where the adapter does not start with the new baseline, both Deployments go back."""
    cluster.refuses.add(f"adapter/{named(pairs[1])['baseline']}")
    assert say("promote") == 1
    old = named(pairs[0])
    assert cluster.serving() == [old, old]
    adapter = cluster.server("adapter")["spec"]["template"]
    assert versions(adapter, FULLNAME) == {"baseline": old["baseline"]}


def test_drift_keeps_its_own_where_that_fails(
    cluster: FakeCluster, say: Say, pairs: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Drift serves nobody: that it cannot be changed is a warning, and the promotion stands."""
    before = cluster.server("drift")["spec"]["template"]
    cluster.fail("PATCH .*/deployments/cv-drift", 403, times=100)
    assert say("promote") == 0
    assert cluster.serving() == [named(pairs[1])] * 2
    assert cluster.server("drift")["spec"]["template"] == before
    assert "warning   drift keeps the models it has" in capsys.readouterr().err


def test_going_back_walks_back(cluster: FakeCluster, say: Say, pairs: list[Path]) -> None:
    """Going back twice leads to the first models, and no further."""
    say("promote")
    say("promote", str(pairs[2]))
    assert say("promote", "--to-previous") == 0
    assert cluster.serving() == [named(pairs[1])] * 2
    assert say("promote", "--to-previous") == 0
    assert cluster.serving() == [named(pairs[0])] * 2
    assert say("promote", "--to-previous") == 1
    assert cluster.serving() == [named(pairs[0])] * 2


def undo_by_hand(cluster: FakeCluster) -> None:
    """Do what `kubectl rollout undo` does: template and annotations of the revision before."""
    server = cluster.server()
    sets = [e for n, e in cluster.objects["replicasets"].items() if n.startswith("cv-mlserver")]
    sets.sort(
        key=lambda each: int(each["metadata"]["annotations"]["deployment.kubernetes.io/revision"])
    )
    template = json.loads(json.dumps(sets[-2]["spec"]["template"]))
    del template["metadata"]["labels"]["pod-template-hash"]
    server["spec"]["template"] = template
    server["metadata"]["annotations"] = dict(sets[-2]["metadata"]["annotations"])
    server["metadata"]["generation"] += 1
    for _ in range(20):
        cluster.step(server)


def test_after_an_undo_by_hand(
    cluster: FakeCluster, say: Say, pairs: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """What was undone by hand is said to serve, can be gone back from, and promoted over."""
    say("promote", "--because", "a better fit")
    say("promote", str(pairs[2]))
    undo_by_hand(cluster)
    assert cluster.serving() == [named(pairs[1])] * 2
    capsys.readouterr()
    assert say("promote", str(pairs[2])) == 0
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith(f"serves    ml {named(pairs[1])['ml']}") and "a better fit" in first
    undo_by_hand(cluster)
    assert say("promote", "--to-previous") == 0
    assert cluster.serving() == [named(pairs[0])] * 2


def test_the_adapter_follows_an_undo_by_hand(
    cluster: FakeCluster, say: Say, pairs: list[Path]
) -> None:
    """An undo by hand moves the model server alone; promoting what serves brings the adapter."""
    say("promote")
    undo_by_hand(cluster)
    assert say("promote", str(pairs[0])) == 0
    adapter = cluster.server("adapter")["spec"]["template"]
    assert versions(adapter, FULLNAME) == {"baseline": named(pairs[0])["baseline"]}


def test_history_lists_the_revisions(
    cluster: FakeCluster, say: Say, pairs: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each revision that is kept has a line; one that was not finished says so."""
    say("promote", "--who", "ada", "--because", "a better fit")
    cluster.refuses.add(named(pairs[2])["ml"])
    say("promote", str(pairs[2]), "--who", "bob")
    capsys.readouterr()
    assert say("history") == 0
    head, chart, failed, ada, now = capsys.readouterr().out.splitlines()
    assert head.split() == ["revision", "when", "who", "did", "ml", "baseline", "why"]
    assert "–" in chart and "bob  promote, not finished" in failed
    assert ada.endswith("a better fit")
    new = named(pairs[1])
    assert now == f"in place: ml {new['ml']}, baseline {new['baseline']}, revision 4"
    assert say("history", "--json") == 0
    assert json.loads(capsys.readouterr().out)[-1]["record"]["who"] == "ada"


def test_old_models_are_pruned(
    cluster: FakeCluster, say: Say, pairs: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """What no revision and no pod needs goes, beyond the newest; drift no longer has it."""
    for day in (1, 2):
        for variant in VARIANTS:
            stray = body_of(pairs[2] / variant)
            name = f"{FULLNAME}-model-{variant}-{day:012}"
            stray["metadata"] |= {"name": name, "creationTimestamp": f"2026-11-0{day}T00:00:00Z"}
            cluster.objects["configmaps"][name] = stray
    assert say("promote", "--keep", "3") == 0
    names = set(cluster.objects["configmaps"])
    assert f"{FULLNAME}-model-ml-{1:012}" not in names
    assert f"{FULLNAME}-model-ml-{2:012}" in names
    mounted = {source["configMap"]["name"] for source in sources_of(cluster, "drift")}
    assert mounted == names
    assert say("prune", "--keep", "0") == 0
    assert "kept      4 models; pruned 2" in capsys.readouterr().err


def sources_of(cluster: FakeCluster, component: str) -> list[dict[str, Any]]:
    """Return the projected sources of a component's models."""
    (volume,) = cluster.server(component)["spec"]["template"]["spec"]["volumes"][1:]
    return list(volume["projected"]["sources"])
