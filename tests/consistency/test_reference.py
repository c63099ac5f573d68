"""What follows from the code says what the code says: pages, scrape jobs, the chart's schema."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["settings.md", "metrics.md", "features.md"])
def test_the_page_is_what_the_code_gives(name: str) -> None:
    """`make docs` would change nothing."""
    assert (ROOT / "docs" / name).read_text() == _script("reference").PAGES[
        name
    ](), "run: make docs"


@pytest.mark.parametrize("name", ["values.schema.json", "prometheus.yml"])
def test_the_list_is_what_the_code_gives(name: str) -> None:
    """`make docs` would change nothing."""
    [(path, written)] = [each for each in _script("lists").FILES.items() if each[0].name == name]
    text = (ROOT / path).read_text()
    assert text == written(text), "run: make docs"


def test_a_new_name_enters_every_list_of_the_schema() -> None:
    """A list that is out of date is written anew, and what stands around it stays."""
    lists = _script("lists")
    text = (ROOT / lists.CHART / "values.schema.json").read_text()
    stale = text
    for line in ('"DRIFT_PORT",', '"drift",', '"drift": {"$ref": "#/definitions/single"},'):
        assert line in stale
        stale = "\n".join(each for each in stale.split("\n") if each.strip() != line)
    stale = stale.replace("|drift|", "|").replace(f'            "drift": {lists._PEERS},\n', "")
    assert "drift" not in stale.replace("DRIFT", "") and "DRIFT_PORT" not in stale
    assert lists.schema(stale) == text


def test_every_setting_has_a_meaning() -> None:
    """No row of the settings page ends in an empty cell."""
    empty = [
        line for line in _script("reference").settings_page().splitlines() if line.endswith("|  |")
    ]
    assert not empty
