"""The chart holds its own files: copies of models, rules and dashboards, byte by byte."""

import shutil
from pathlib import Path

import pytest

from tests.chart.rendering import ROOT, load

COPIES = load(ROOT / "manifests" / "chart_files.py")
MODEL = Path("model-settings/ml/card.json")
COPY = Path("charts/crypto-volatility/files/models/ml/card.json")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small repository whose chart has its copies."""
    for name in (
        *("model-settings/settings.json", "model-settings/promotions.jsonl", str(MODEL)),
        *("model-settings/.promotion/lock", "grafana/rules/alerts.yml", "grafana/tests/model.yml"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    COPIES.write(tmp_path)
    return tmp_path


def differing(root: Path) -> list[str]:
    """Return the copies that are absent, of other bytes, or of nothing."""
    wanted, held = COPIES.wanted(root), COPIES.held(root)
    return sorted(str(path) for path in {*wanted, *held} if wanted.get(path) != held.get(path))


def test_the_charts_copies_are_what_they_are_copies_of() -> None:
    """No link, no other byte, no file more or less."""
    assert differing(ROOT) == [], "run `make chart-files`"


def test_no_file_of_the_chart_is_a_link() -> None:
    """Flux and some checkouts drop links."""
    chart = ROOT / "charts" / "crypto-volatility"
    assert [path for path in chart.rglob("*") if path.is_symlink()] == []


def test_what_a_cluster_is_not_given_is_left_out(tree: Path) -> None:
    """The record of promotions, tests of rules, and what is hidden."""
    assert sorted(str(path.relative_to(COPIES.FILES)) for path in COPIES.held(tree)) == [
        "grafana/rules/alerts.yml",
        "models/ml/card.json",
        "models/settings.json",
    ]
    assert differing(tree) == []


@pytest.mark.parametrize("change", ["other bytes", "absent", "one more", "a link"])
def test_a_difference_is_found_and_mended(tree: Path, change: str) -> None:
    """Also a file that only the chart has, and a link in a copy's place."""
    copy = tree / COPY
    if change == "other bytes":
        (tree / MODEL).write_text("another")
    if change in ("absent", "a link"):
        copy.unlink()
    if change == "a link":
        copy.symlink_to(tree / MODEL)
    if change == "one more":
        copy.with_name("left.json").write_text("{}")
    assert len(differing(tree)) == 1
    COPIES.write(tree)
    assert differing(tree) == [] and not copy.is_symlink()


def test_a_folder_that_was_a_link_becomes_one_of_its_own(tree: Path) -> None:
    """As a checkout of 0.1.0 has it."""
    folder = tree / COPIES.FILES / "models"
    shutil.rmtree(folder)
    folder.symlink_to(tree / "model-settings")
    COPIES.write(tree)
    assert not folder.is_symlink() and differing(tree) == []
    assert (tree / MODEL).read_text() == str(MODEL)
