"""`make package`: the chart as one file, which installs as the folder does."""

import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.chart.rendering import CHART, ROOT, setting, text

GIVEN = setting("secrets.grafanaPassword.value=a", "secrets.postgresPassword.value=b")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package that the target makes, in a folder of its own."""
    folder = tmp_path_factory.mktemp("packages")
    command = ["make", "-s", "package", f"PACKAGES={folder}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    (made,) = folder.iterdir()
    assert f"helm push {made} oci://" in done.stdout
    return made


@pytest.fixture(scope="module")
def unpacked(package: Path) -> Path:
    """The package's folder."""
    with tarfile.open(package) as archive:
        archive.extractall(package.parent, filter="data")
    return package.parent / CHART.name


@pytest.mark.parametrize("profile", ["values.yaml", "values-kind.yaml", "values-prod.yaml"])
def test_the_package_renders_as_the_folder_does(
    package: Path, unpacked: Path, profile: str
) -> None:
    """With the profile that it brings itself, byte by byte, and without the repository."""
    by_package = text("-f", str(unpacked / profile), *GIVEN, chart=str(package))
    assert by_package == text("-f", str(CHART / profile), *GIVEN)


def test_the_package_has_every_file_of_the_chart_but_those_to_be_ignored(unpacked: Path) -> None:
    """Helm writes Chart.yaml anew; every other file has its bytes."""
    files = {path.relative_to(CHART) for path in CHART.rglob("*") if path.is_file()}
    held = {path.relative_to(unpacked) for path in unpacked.rglob("*") if path.is_file()}
    ignored = {each for each in files if "__pycache__" in each.parts}
    assert held == files - ignored
    for name in held - {Path("Chart.yaml")}:
        assert (unpacked / name).read_bytes() == (CHART / name).read_bytes(), name


def test_the_package_is_named_by_the_charts_version(package: Path) -> None:
    """As a registry will call it."""
    version = (CHART / "Chart.yaml").read_text().partition("\nversion: ")[2].split()[0]
    assert package.name == f"crypto-volatility-{version}.tgz"
