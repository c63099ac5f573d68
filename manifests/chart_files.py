"""``python manifests/chart_files.py``: the chart's copies of models, rules and dashboards.

A chart holds its own files: Flux and some checkouts drop symbolic links, and a package has none.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
FILES: Final = Path("charts") / "crypto-volatility" / "files"
SOURCES: Final = {"models": Path("model-settings"), "grafana": Path("grafana")}
"""Folders below ``files`` and what they are copies of."""
LEFT_OUT: Final = (Path("model-settings/promotions.jsonl"), Path("grafana/tests"))
"""The record of a repository, and tests of rules: nothing that a cluster is given."""


def wanted(root: Path) -> dict[Path, bytes]:
    """Return the bytes of each copy by its path below a repository's root."""
    return {
        FILES / name / path.relative_to(source): (root / path).read_bytes()
        for name, source in SOURCES.items()
        for path in _originals(root, source)
    }


def held(root: Path) -> dict[Path, bytes]:
    """Return the bytes of each copy that is there; a link in a copy's place is none."""
    paths = (path for name in SOURCES for path in (root / FILES / name).rglob("*"))
    return {
        path.relative_to(root): path.read_bytes()
        for path in paths
        if path.is_file() and not path.is_symlink()
    }


def write(root: Path) -> int:
    """Make the copies what they have to be, without any other file; return how many they are.

    What is right is left alone, so that nobody who reads meanwhile finds a file missing.
    """
    copies = wanted(root)
    _remove(root, copies)
    there = held(root)
    for path, content in copies.items():
        if there.get(path) != content:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
    return len(copies)


def _remove(root: Path, copies: Mapping[Path, bytes]) -> None:
    """Remove links, and files that are copies of nothing."""
    for name in SOURCES:
        folder = root / FILES / name
        if folder.is_symlink():
            folder.unlink()
        for path in list(folder.rglob("*")):
            if path.is_symlink() or (path.is_file() and path.relative_to(root) not in copies):
                path.unlink()


def _originals(root: Path, source: Path) -> Iterator[Path]:
    """Yield files below a folder that a chart is to hold, hidden ones left out."""
    for path in sorted((root / source).rglob("*")):
        inside = path.relative_to(root)
        hidden = any(part.startswith(".") for part in inside.parts)
        if path.is_file() and not hidden and not any(map(inside.is_relative_to, LEFT_OUT)):
            yield inside


if __name__ == "__main__":
    sys.stdout.write(f"{write(ROOT)} files in {FILES}\n")
