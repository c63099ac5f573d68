"""The root of the repository can be taken in at a glance."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE = [line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()]


def visible() -> list[str]:
    """What `ls` shows in a fresh clone."""
    names = [path.name for path in ROOT.iterdir() if not path.name.startswith(".")]
    return [name for name in names if not any(fnmatch(name, pattern) for pattern in MADE)]


def test_the_root_has_at_most_thirty_entries() -> None:
    """More is for a folder: what belongs together stands together."""
    assert len(visible()) <= 30, sorted(visible())


def test_the_licence_is_the_one_that_is_named() -> None:
    """LICENSE is the text of what pyproject.toml names, and goes into the wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (project["license"], project["license-files"]) == ("Apache-2.0", ["LICENSE"])
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "Version 2.0, January 2004" in text
