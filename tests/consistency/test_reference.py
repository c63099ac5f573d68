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


@pytest.mark.parametrize("name", ["settings.md", "metrics.md", "features.md", "chart-values.md"])
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


@pytest.mark.parametrize("page", ["settings.md", "chart-values.md"])
def test_every_setting_has_a_meaning(page: str) -> None:
    """No row of the page ends in an empty cell."""
    lines = _script("reference").PAGES[page]().splitlines()
    assert len(lines) > 100
    assert not [line for line in lines if line.endswith("|  |")]


def test_a_value_is_told_by_the_comment_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A heading is no comment of what follows, a part of a list no value, a map one row.

    A map without a comment is as the one before it with the same keys.
    """
    reference = _script("reference")
    text = """# ------- pods
a:
  # How
  # many.
  b: 1

  # Of a group.

  # Peers, a|b.
  c:
    - d: {e: 1}
      f: 2
  # All of it.
  g:
    h: {i: [1]}
  j: {h: 2}
"""
    (tmp_path / "values.yaml").write_text(text)
    monkeypatch.setattr(reference, "VALUES", tmp_path / "values.yaml")
    assert reference.chart_values_page().splitlines()[6:] == [
        "| `a.b` | `1` | How many. |",
        r"| `a.c` | `[{d: {e: 1}, f: 2}]` | Peers, a\|b. |",
        "| `a.g` | `{h: {i: [1]}}` | All of it. |",
        "| `a.j` | `{h: 2}` | as `g` |",
    ]
