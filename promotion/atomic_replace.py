"""Both model folders and their line in the log change together, or not at all.

New folders are staged in ``.promotion`` (a name with a dot: MLServer does not look there), on the
file system of the old ones. Then a journal is written; from there on an interrupted change is
finished by whoever comes next. Two renames a folder follow, milliseconds apart.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from promotion.errors import PromotionError
from promotion.log import append
from promotion.model_pair import Folders, copy_folders, digests_in, folders_in
from serving.control import VARIANTS

STAGE: Final = ".promotion"
JOURNAL: Final = "journal.json"

Rename = Callable[[Path, Path], object]


class _Journal(msgspec.Struct, frozen=True):
    """What is under way: the digests of the staged folders and the line for the log."""

    to: dict[str, str]
    line: str


@contextmanager
def exclusive(root: Path) -> Iterator[None]:
    """Hold the lock of this folder of models.

    Raises:
        PromotionError: another process is promoting into it.
    """
    root.mkdir(parents=True, exist_ok=True)
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as exc:
        raise PromotionError(f"{root}: found another promotion under way, expected none") from exc
    finally:
        os.close(handle)


def replace(
    root: Path,
    folders: Folders,
    digests: Mapping[str, str],
    line: bytes,
    rename: Rename = os.rename,
) -> None:
    """Put copies of these folders in place of those in ``root`` and append the line to its log.

    Raises:
        PromotionError: it did not succeed; ``root`` holds what it held before, or, where even
            that failed, says so and is put right by ``recover``.
    """
    stage = root / STAGE
    shutil.rmtree(stage, ignore_errors=True)
    staged = copy_folders(folders, stage / "new")
    if (found := digests_in(staged)) != dict(digests):
        shutil.rmtree(stage)
        raise PromotionError(f"{root}: found copies with digests {found}, expected {dict(digests)}")
    _write_journal(stage, _Journal(dict(digests), line.decode()))
    _finish_or_undo(root, line, rename)


def recover(root: Path, rename: Rename = os.rename) -> str | None:
    """Finish a change that was interrupted; gives what was done, None if there was none.

    Raises:
        PromotionError: it cannot be finished; ``root`` holds what it held before.
    """
    stage = root / STAGE
    if not stage.exists():
        return None
    if not (stage / JOURNAL).exists():
        shutil.rmtree(stage)
        return "removed what an earlier promotion had left in staging"
    journal = msgspec.json.decode((stage / JOURNAL).read_bytes(), type=_Journal)
    if _after(root) != journal.to:
        _undo(root, rename)
        return "undid an interrupted promotion: its staged models were damaged"
    _finish_or_undo(root, journal.line.encode(), rename)
    return "finished an interrupted promotion"


def _finish_or_undo(root: Path, line: bytes, rename: Rename) -> None:
    try:
        _finish(root, line, rename)
    except OSError as exc:
        try:
            _undo(root, rename)
        except OSError as again:
            raise PromotionError(
                f"{root}: half changed ({exc}; then {again}); run the command again to finish it"
            ) from exc
        raise PromotionError(f"{root}: nothing was changed: {exc}") from exc


def _finish(root: Path, line: bytes, rename: Rename) -> None:
    new, old = folders_in(root / STAGE / "new"), folders_in(root / STAGE / "old")
    for variant, place in folders_in(root).items():
        if not new[variant].exists():
            continue
        if place.exists():
            old[variant].parent.mkdir(exist_ok=True)
            rename(place, old[variant])
        rename(new[variant], place)
    append(root, line)
    _remove(root / STAGE)


def _undo(root: Path, rename: Rename) -> None:
    old = folders_in(root / STAGE / "old")
    new = folders_in(root / STAGE / "new")
    for variant, place in folders_in(root).items():
        if place.exists() and not new[variant].exists():
            rename(place, new[variant])
        if old[variant].exists():
            rename(old[variant], place)
    _remove(root / STAGE)


def _after(root: Path) -> dict[str, str] | None:
    """Return the digests that ``root`` will have once the change is finished."""
    new, place = folders_in(root / STAGE / "new"), folders_in(root)
    return digests_in({v: new[v] if new[v].exists() else place[v] for v in VARIANTS})


def _write_journal(stage: Path, journal: _Journal) -> None:
    """Bring the staged files to the disk, then say that the change has begun."""
    for path in stage.rglob("*"):
        _sync(path)
    draft = stage / f"{JOURNAL}.draft"
    draft.write_bytes(msgspec.json.encode(journal))
    _sync(draft)
    draft.rename(stage / JOURNAL)
    _sync(stage)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(stage: Path) -> None:
    """Take the journal away first: without it the rest is only litter."""
    (stage / JOURNAL).unlink(missing_ok=True)
    shutil.rmtree(stage, ignore_errors=True)
