"""The demo's folder: what a demo wrote goes, all else stays."""

from pathlib import Path

import pytest

from local.state import MARK, FolderError, claim


def written(folder: Path, *names: str) -> Path:
    """A folder with these files."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def names(folder: Path) -> set[str]:
    """The files in it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_an_empty_or_absent_folder_is_claimed(tmp_path: Path) -> None:
    """It is made, and marked."""
    claim(tmp_path / "a" / "b")
    assert names(tmp_path / "a" / "b") == {MARK}


def test_what_a_demo_left_goes_and_all_else_stays(tmp_path: Path) -> None:
    """Also files that somebody put beside it."""
    folder = tmp_path / "run"
    claim(folder)
    left = ("broker/data/x", "broker.log", "ingestor.log", "state.json", "restart-scorer")
    mine = ("notes.txt", "my.log", "training/run-1/model.json")
    claim(written(folder, *left, *mine))
    assert names(folder) == {MARK, *mine}


@pytest.mark.parametrize("name", ["thesis.tex", "broker/data/x", "state.json", ".hidden"])
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, name: str) -> None:
    """By name, and nothing in it is touched."""
    folder = written(tmp_path / "mine", name)
    with pytest.raises(FolderError, match=r"RUN_DIR: found .* and no .*, expected an empty folder"):
        claim(folder)
    assert names(folder) == {name}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """It is named."""
    (tmp_path / "x").write_text("")
    with pytest.raises(FolderError, match="found a file"):
        claim(tmp_path / "x")
