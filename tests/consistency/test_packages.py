"""The wheel that the images install holds every package of the repository."""

from pathlib import Path

from setuptools import find_packages

ROOT = Path(__file__).resolve().parents[2]


def test_every_module_is_in_a_package() -> None:
    """A folder of modules without an ``__init__.py`` would be missing in the images."""
    packages = set(find_packages(str(ROOT)))
    tops = {name for name in packages if "." not in name}
    assert {"adapter", "featurizer", "ingestor", "serving"} <= tops
    found = {
        ".".join(module.parent.relative_to(ROOT).parts)
        for top in tops
        for module in (ROOT / top).rglob("*.py")
    }
    assert found == packages


def test_every_package_reaches_the_builder() -> None:
    """``.dockerignore`` lets each top package through."""
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    tops = {name for name in find_packages(str(ROOT)) if "." not in name}
    assert {f"!{name}" for name in tops} <= set(allowed)
