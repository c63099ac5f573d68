"""The wheel that the images install holds every package of the repository."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_package_is_in_the_distribution() -> None:
    """A folder with an ``__init__.py`` that pyproject.toml does not name would be missing."""
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    tops = {name for name in named if "." not in name}
    found = {
        ".".join(init.parent.relative_to(ROOT).parts)
        for top in tops
        for init in (ROOT / top).rglob("__init__.py")
    }
    assert found == set(named)


def test_every_package_reaches_the_builder() -> None:
    """``.dockerignore`` lets each top package through."""
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in named if "." not in name} <= set(allowed)
