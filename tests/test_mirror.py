"""Test folders mirror the packages: what computes has a test file of its own."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MOST_MODULES = 18


def core_modules() -> list[str]:
    """Return the modules that the contract of the core names."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [core] = [each for each in contracts["contracts"] if each["name"].startswith("Cores compute")]
    names: list[str] = core["source_modules"]
    return names


def source_of(module: str) -> Path:
    """Return the file of a module."""
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


def computes(source: Path) -> bool:
    """Say whether a module has a function, so that there is something to test."""
    nodes = ast.walk(ast.parse(source.read_text()))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes)


def tests_of(source: Path) -> Path:
    """Return where the tests of a module stand."""
    return ROOT / "tests" / source.relative_to(ROOT).with_name(f"test_{source.name}")


@pytest.mark.parametrize("module", core_modules())
def test_a_core_module_has_its_test_file(module: str) -> None:
    """``package/part/name.py`` is tested by ``tests/package/part/test_name.py``."""
    source = source_of(module)
    expected = tests_of(source)
    assert not computes(source) or "def test_" in expected.read_text()


def test_no_folder_of_tests_has_too_many_modules() -> None:
    """A reader sees a folder at a glance."""
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
    counts = {folder.relative_to(ROOT): len(list(folder.glob("*.py"))) for folder in folders}
    assert {folder: n for folder, n in counts.items() if n > MOST_MODULES} == {}
