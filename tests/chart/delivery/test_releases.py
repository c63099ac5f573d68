"""Helm itself, against an API that stores: what upgrades, rollbacks and reinstalls leave alone."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.delivery.release import Release, released
from tests.chart.rendering import KIND, RELEASE, Refused, setting

HPA = setting("autoscaling.mode=hpa")
CHANGE = setting("components.adapter.env.ADAPTER_RATE_LIMIT=5/minute")
SCALED = ("adapter", "mlserver")


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    """Nothing installed yet."""
    with released(tmp_path) as found:
        yield found


def replicas(release: Release) -> list[int]:
    """Return how many adapters and model servers are asked for."""
    return [release.one("deployments", name)["spec"]["replicas"] for name in SCALED]


def grow(release: Release, number: int) -> None:
    """Let the autoscalers ask for so many."""
    for name in SCALED:
        release.one("deployments", name)["spec"]["replicas"] = number


def test_a_rollback_keeps_the_autoscalers_number(release: Release) -> None:
    """No revision names one, so none takes six away, however often it goes there and back."""
    release.install("-f", KIND, *HPA)
    assert replicas(release) == [1, 1]  # until the autoscaler has looked
    grow(release, 6)
    release.upgrade("-f", KIND, *HPA, *CHANGE)
    assert replicas(release) == [6, 6]
    for revision in ("1", "2", "1"):
        release.helm("rollback", revision)
        assert replicas(release) == [6, 6]


def test_what_goes_over_to_the_autoscaler_keeps_its_pods(release: Release) -> None:
    """The number of before is named on, or Helm would take the field away, which means one."""
    release.install("-f", KIND, *setting("components.adapter.replicas=3"))
    release.upgrade("-f", KIND, *HPA)
    assert replicas(release) == [3, 1]
    grow(release, 6)
    release.upgrade("-f", KIND, *HPA, *CHANGE)
    assert replicas(release) == [6, 6]


def test_what_comes_back_from_the_autoscaler_has_its_own_number(release: Release) -> None:
    """A revision without one says how many there are."""
    release.install("-f", KIND, *setting("components.adapter.replicas=3"))
    release.upgrade("-f", KIND, *HPA)
    grow(release, 6)
    release.helm("rollback", "1")
    assert replicas(release) == [3, 1]
    assert release.store.names("horizontalpodautoscalers") == []


def test_a_release_of_before_keeps_its_number_at_the_upgrade(release: Release) -> None:
    """Its autoscaler says nothing of who names the number: what is there is named on."""
    release.install("-f", KIND, *HPA)
    for name in SCALED:
        del release.one("horizontalpodautoscalers", name)["metadata"]["annotations"][
            "crypto-volatility/replicas"
        ]
    grow(release, 6)
    release.upgrade("-f", KIND, *HPA)
    assert replicas(release) == [6, 6]
    assert "replicas: 6" in release.manifest()


def test_a_promoted_model_survives_an_upgrade(release: Release) -> None:
    """Promotion changes the pod template and leaves a ConfigMap; the next chart is the same."""
    release.install("-f", KIND)
    promote(release, "ml", "0123456789ab")
    release.upgrade("-f", KIND, *CHANGE)
    assert served(release)["ml"] == "0123456789ab"
    assert f"{RELEASE}-model-ml-0123456789ab" in release.store.names("configmaps")


def test_a_digest_in_the_values_overrules_a_promotion(release: Release) -> None:
    """`chart` is the chart's own, whatever was promoted."""
    release.install("-f", KIND)
    before = served(release)
    promote(release, "ml", "0123456789ab")
    release.upgrade("-f", KIND, *setting("serving.models.ml.digest=chart"))
    assert served(release) == before


def served(release: Release) -> dict[str, str]:
    """Return which versions the pod template names."""
    template = release.one("deployments", "mlserver")["spec"]["template"]
    said = template["metadata"]["annotations"]
    return {name: said[f"crypto-volatility/model-{name}"] for name in ("ml", "baseline")}


def promote(release: Release, variant: str, version: str) -> None:
    """Leave what `python -m promotion promote --to kubernetes` leaves."""
    old = release.one("configmaps", f"model-{variant}-{served(release)[variant]}")
    kept = {k: v for k, v in old["metadata"]["annotations"].items() if not k.startswith("helm.")}
    annotations = {**kept, "crypto-volatility/digest": version + "0" * 52}
    name = f"{RELEASE}-model-{variant}-{version}"
    meta = {"name": name, "labels": old["metadata"]["labels"], "annotations": annotations}
    release.store.create("configmaps", {**old, "metadata": meta})
    template = release.one("deployments", "mlserver")["spec"]["template"]
    template["metadata"]["annotations"][f"crypto-volatility/model-{variant}"] = version


def test_a_made_up_password_goes_over_to_gitops_and_comes_back(release: Release) -> None:
    """Named by its Secret, which Helm leaves; the way back is an upgrade, as Helm adopts by it."""
    release.install()
    password = release.one("secrets", "generated")["data"]
    name = f"secrets.grafanaPassword.existingSecret={RELEASE}-generated"
    digests = [f"serving.models.{variant}.digest=chart" for variant in ("ml", "baseline")]
    release.upgrade(*setting("gitops=true", name, *digests))
    assert release.one("secrets", "generated")["data"] == password
    with pytest.raises(Refused, match=r"no Secret with the name .*-generated"):
        release.helm("rollback", "1")
    release.upgrade()
    assert release.one("secrets", "generated")["data"] == password


def test_a_made_up_password_survives_an_upgrade_and_a_reinstall(release: Release) -> None:
    """It stands in Grafana's volume, which stays too."""
    release.install()
    password = release.one("secrets", "generated")["data"]["grafana-password"]
    assert len(base64.b64decode(password)) == 24
    release.upgrade(*CHANGE)
    assert release.one("secrets", "generated")["data"]["grafana-password"] == password
    release.helm("uninstall")
    release.install()
    assert release.one("secrets", "generated")["data"]["grafana-password"] == password
