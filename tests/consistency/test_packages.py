"""The wheel that the images install holds every package of the repository."""

from fnmatch import fnmatch

from setuptools import find_packages

from tests.consistency.modules import PACKAGES, ROOT

MADE = {"node_modules", "__pycache__"}
"""What tools leave in the root of a working copy."""


def test_every_module_is_in_a_package() -> None:
    """A folder of modules without an ``__init__.py`` would be missing in the images."""
    packages = set(find_packages(str(ROOT)))
    assert {"adapter", "featurizer", "ingestor", "serving"} <= set(PACKAGES)
    found = {
        ".".join(module.parent.relative_to(ROOT).parts)
        for top in PACKAGES
        for module in (ROOT / top).rglob("*.py")
    }
    assert found == packages


def test_the_builder_gets_what_the_images_are_made_from() -> None:
    """``.dockerignore`` lets packages and requirements through, and nothing else of the root."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] != "#"]
    sent = {path.name for path in ROOT.iterdir() if not ignored(path.name, rules)}
    assert sent - MADE == {*PACKAGES, "requirements", "pyproject.toml", "README.md", "LICENSE"}


def ignored(name: str, rules: list[str]) -> bool:
    """Say whether the builder does not see an entry of the root: the last rule decides."""
    matching = [rule for rule in rules if fnmatch(name, rule.removeprefix("!"))]
    return bool(matching) and not matching[-1].startswith("!")
