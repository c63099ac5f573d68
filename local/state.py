"""The demo's state as files in its folder, for ``status`` and ``restart`` from another terminal."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

STATE: Final = "state.json"
WISH: Final = "restart-"


class NoDemoError(Exception):
    """No demo runs in this folder."""


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
