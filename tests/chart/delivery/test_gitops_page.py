"""docs/gitops.md: its examples are values that the chart takes."""

import re
from typing import Any

import yaml

from tests.chart.delivery.test_gitops import GITOPS
from tests.chart.rendering import CHART, ROOT, named, rendered, text

PAGE = (ROOT / "docs" / "gitops.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
THINGS = [thing for block in BLOCKS for thing in yaml.safe_load_all(block)]


def example(kind: str) -> Any:
    """Return the page's object of a kind."""
    (found,) = [thing for thing in THINGS if thing.get("kind") == kind]
    return found["spec"]


def with_values(tmp_path: Any, values: Any, *options: str) -> str:
    """Return what the chart renders with these values."""
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump(values))
    return text(*options, "--values", str(path))


def test_the_first_values_are_enough_for_every_profile_without_passwords(tmp_path: Any) -> None:
    """Laid over production and over the defaults with MLflow."""
    (values,) = [thing for thing in THINGS if thing.get("gitops")]
    prod = str(CHART / "values-prod.yaml")
    for options in (("--values", prod), ("--set", "mlflow.enabled=true")):
        assert "kind: StatefulSet" in with_values(tmp_path, values, *options)


def test_argo_cds_values_are_taken(tmp_path: Any) -> None:
    """With the profile that the Application names."""
    helm = example("Application")["source"]["helm"]
    profiles = [part for name in helm["valueFiles"] for part in ("--values", str(CHART / name))]
    assert "registry.example/" in with_values(tmp_path, helm["valuesObject"], *profiles)


def test_fluxs_values_are_taken(tmp_path: Any) -> None:
    """With the defaults."""
    assert "registry.example/" in with_values(tmp_path, example("HelmRelease")["values"])


def test_the_example_of_a_pin_is_taken(tmp_path: Any) -> None:
    """As `pin` prints it."""
    (pin,) = [thing for thing in THINGS if set(thing) == {"serving"}]
    assert "kind: StatefulSet" in with_values(tmp_path, pin, *GITOPS)


def test_what_is_left_to_the_autoscaler_are_its_deployments() -> None:
    """Those that the chart scales by load, by name."""
    specs = [thing["spec"] for thing in THINGS if "spec" in thing]
    (ignored,) = [spec["ignoreDifferences"] for spec in specs if "ignoreDifferences" in spec]
    names = {each["name"].removeprefix("crypto-volatility-") for each in ignored}
    assert names == set(named(rendered("--set", "autoscaling.mode=hpa"), "HorizontalPodAutoscaler"))


def test_versions_are_the_charts() -> None:
    """The examples name the chart as it is now."""
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
    assert example("Application")["source"]["targetRevision"] == version
    assert example("OCIRepository")["ref"]["tag"] == version
