"""The modules of our packages, as their source says: what each imports, reads and defines."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from setuptools import find_packages

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = tuple(sorted(name for name in find_packages(str(ROOT)) if "." not in name))
"""Every folder of the root with an ``__init__.py``."""


@dataclass(frozen=True, slots=True)
class Module:
    """One file of a package."""

    name: str
    """Dotted; a folder's ``__init__`` has the name of the folder."""
    path: Path
    lines: int
    imported: frozenset[str]
    """Modules, and names from them, that it imports anywhere, inside functions too."""
    used: frozenset[str]
    """What it takes from plain names, as ``time.monotonic``, and calls, as ``print()``."""
    functions: Mapping[str, int]
    """Lines of each function, from ``def`` to the end, docstring left out."""

    @property
    def package(self) -> str:
        """Return the top package."""
        return self.name.partition(".")[0]


def parsed(name: str, path: Path, text: str) -> Module:
    """Return what the source of a module says."""
    tree = ast.parse(text)
    imported, used = frozenset(_imported(tree)), frozenset(_used(tree))
    return Module(name, path, text.count("\n"), imported, used, dict(_functions(tree)))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def _used(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield f"{node.func.id}()"


def _functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{node.lineno}: {node.name}", _length(node)


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    whole = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    said = ast.get_docstring(node) is not None
    return whole - ((first.end_lineno or 0) - first.lineno + 1 if said else 0)


def read(packages: Iterable[str] = PACKAGES) -> dict[str, Module]:
    """Return every module of the packages, by name."""
    paths = (path for package in packages for path in sorted((ROOT / package).rglob("*.py")))
    return {module.name: module for module in map(_module, paths)}


@cache
def _module(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return parsed(name, path, path.read_text())


def graph(modules: dict[str, Module]) -> dict[str, frozenset[str]]:
    """Return the modules of ours that each module imports."""
    return {
        name: frozenset(module.imported & modules.keys()) - {name}
        for name, module in modules.items()
    }
