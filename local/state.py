"""The demo's folder, and its state in it, for ``status`` and ``restart`` from another terminal.

The folder is marked, so that nothing of anybody else's is ever removed.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from local.services import SERVICES

STATE: Final = "state.json"
WISH: Final = "restart-"
MARK: Final = ".crypto-volatility-demo"
_TEXT: Final = "A demo wrote this folder, and the next one removes what it left here.\n"
_LOGS: Final = frozenset({"broker.log", *(f"{row.name}.log" for row in SERVICES)})


class NoDemoError(Exception):
    """No demo runs in this folder."""


class FolderError(Exception):
    """A folder is not the demo's to use."""


def claim(folder: Path) -> None:
    """Make the folder ready: what an earlier demo left is removed, all else stays.

    Raises:
        FolderError: it holds something, and no mark of a demo.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as exc:
        raise FolderError(f"RUN_DIR: found a file at {folder}, expected a folder") from exc
    standing = sorted(path.name for path in folder.iterdir())
    if standing and MARK not in standing:
        shown = ", ".join(standing[:5]) + (", …" if len(standing) > 5 else "")
        raise FolderError(
            f"RUN_DIR: found {shown} in {folder} and no {MARK}, expected an empty folder or one"
            " of a demo: name another one, nothing was removed"
        )
    for path in folder.iterdir():
        if path.name == "broker":
            shutil.rmtree(path)
        elif path.name in _LOGS or path.name.startswith((STATE, WISH)):
            path.unlink()
    (folder / MARK).write_text(_TEXT)


def write_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Leave the state for others to read, never half written."""
    half = folder / f"{STATE}.new"
    half.write_text(json.dumps({"pid": os.getpid(), **state}))
    half.replace(folder / STATE)


def read_state(folder: Path) -> dict[str, Any]:
    """Return the state of the demo that runs in ``folder``; raises ``NoDemoError``."""
    try:
        state: dict[str, Any] = json.loads((folder / STATE).read_text())
    except (OSError, ValueError):
        raise NoDemoError(f"no demo runs here: found no {folder / STATE}") from None
    if not _runs(state["pid"]):
        raise NoDemoError(f"the demo of {folder} has ended (process {state['pid']} is gone)")
    return state


def clear_state(folder: Path) -> None:
    """Say that no demo runs here any more."""
    (folder / STATE).unlink(missing_ok=True)


def wish_restart(folder: Path, name: str) -> Path:
    """Ask the demo to restart a child; the file is gone once it has."""
    wish = folder / f"{WISH}{name}"
    wish.touch()
    return wish


def wished_restarts(folder: Path) -> dict[str, Path]:
    """Return the children somebody wants restarted, each with the file to remove then."""
    return {path.name.removeprefix(WISH): path for path in sorted(folder.glob(f"{WISH}*"))}


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
