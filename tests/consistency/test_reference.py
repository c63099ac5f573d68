"""The pages of settings and metrics say what the code says."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["settings.md", "metrics.md"])
def test_the_page_is_what_the_code_gives(name: str) -> None:
    """`make docs` would change nothing."""
    assert (ROOT / "docs" / name).read_text() == _reference().PAGES[name](), "run: make docs"


def test_every_setting_has_a_meaning() -> None:
    """No row of the settings page ends in an empty cell."""
    empty = [line for line in _reference().settings_page().splitlines() if line.endswith("|  |")]
    assert not empty
