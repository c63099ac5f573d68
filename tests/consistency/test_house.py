"""The plan of the house: folders and functions of a size to be taken in, and no way back."""

import tomllib
from collections import Counter
from graphlib import TopologicalSorter
from itertools import chain
from statistics import median, quantiles

from tests.consistency.modules import PACKAGES, ROOT, graph, read

MODULES = read()
GRAPH = graph(MODULES)
IN_A_FOLDER = 18
OF_A_FUNCTION = 7
"""Lines of the median function; nine in ten have fewer than ``OF_MOST``."""
OF_MOST = 18


def folder(name: str) -> str:
    """Return the innermost folder of a module below its package; a module beside them is one."""
    package, _, inside = name.partition(".")
    held = MODULES[name].path.parent.relative_to(ROOT).parts
    return ".".join(held) if len(held) > 1 else (name if inside else package)


def test_no_folder_is_too_full() -> None:
    """A folder above eighteen modules is two; tests count as the product does."""
    files = chain.from_iterable((ROOT / name).rglob("*.py") for name in [*PACKAGES, "tests"])
    counted = Counter(
        path.parent for path in files if path.name not in ("__init__.py", "__main__.py")
    )
    assert {str(each): n for each, n in counted.items() if n > IN_A_FOLDER} == {}


def test_no_import_leads_back() -> None:
    """Neither modules nor folders import each other in a circle."""
    assert list(TopologicalSorter(GRAPH).static_order())
    folders: dict[str, set[str]] = {}
    for name, imported in GRAPH.items():
        inner = {folder(each) for each in imported if each not in PACKAGES}
        folders.setdefault(folder(name), set()).update(inner - {folder(name)})
    assert list(TopologicalSorter(folders).static_order())


def test_no_package_is_a_third_of_the_product() -> None:
    """A package that holds more is two."""
    lines: Counter[str] = Counter()
    for module in MODULES.values():
        lines[module.package] += module.lines
    assert {name for name, count in lines.items() if count * 3 > lines.total()} == set()


def test_functions_are_short() -> None:
    """Half have at most seven lines, nine in ten fewer than eighteen, docstrings left out."""
    lengths = [lines for module in MODULES.values() for lines in module.functions.values()]
    assert median(lengths) <= OF_A_FUNCTION
    assert quantiles(lengths, n=10)[-1] < OF_MOST


def test_every_package_has_its_layer() -> None:
    """pyproject.toml says of every package, and of no other, whom it may import."""
    linted = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = linted["contracts"][0]["layers"]
    placed = [name.strip() for layer in layers for name in layer.split("|")]
    assert sorted(placed) == sorted(linted["root_packages"]) == list(PACKAGES)
