"""The tree of a release comes from git."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.before import RELEASE, NoReleaseError, unpack
from tests.e2e.stack import ROOT

pytestmark = pytest.mark.process

AUTHOR = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit, and a file that has changed since."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "file").write_text("before")
    for command in (["init", "--quiet"], ["add", "file"], ["commit", "--quiet", "-m", "one"]):
        subprocess.run(["git", *AUTHOR, *command], cwd=folder, check=True)
    (folder / "file").write_text("after")
    return folder


def test_the_tree_is_as_it_was(repository: Path, tmp_path: Path) -> None:
    """It is unpacked once, with the contents of the commit."""
    tree = unpack(tmp_path / "trees" / "one", "HEAD", repository)
    assert (tree / "file").read_text() == "before"
    (tree / "file").write_text("mine")
    assert (unpack(tree, "HEAD", repository) / "file").read_text() == "mine"
    assert list((tmp_path / "trees").iterdir()) == [tree]


def test_a_clone_without_history_is_named(repository: Path, tmp_path: Path) -> None:
    """A commit that is not there is said to be missing, and leaves no folder."""
    with pytest.raises(NoReleaseError, match="expected a clone with history"):
        unpack(tmp_path / "trees" / "one", "0" * 40, repository)
    assert not (tmp_path / "trees").exists()


def test_the_release_stands_in_the_changelog() -> None:
    """What came since then is told above it."""
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert any(heading.split()[0] == RELEASE for heading in headings[1:])
