"""The demo's state files."""

import json
from pathlib import Path

import pytest

from local.state import (
    NoDemoError,
    clear_state,
    read_state,
    wish_restart,
    wished_restarts,
    write_state,
)

NOBODY = 2**22 + 1  # above the largest process id of Linux


def test_another_process_sees_what_runs(tmp_path: Path) -> None:
    """What the demo wrote is read back, until it is cleared."""
    write_state(tmp_path, {"children": {"scorer": "ready"}})
    assert read_state(tmp_path)["children"] == {"scorer": "ready"}
    clear_state(tmp_path)
    with pytest.raises(NoDemoError, match="no demo runs here"):
        read_state(tmp_path)


def test_a_killed_demo_is_not_taken_for_a_running_one(tmp_path: Path) -> None:
    """A state whose process is gone says so."""
    (tmp_path / "state.json").write_text(json.dumps({"pid": NOBODY, "children": {}}))
    with pytest.raises(NoDemoError, match="has ended"):
        read_state(tmp_path)


def test_a_wish_stands_until_it_is_fulfilled(tmp_path: Path) -> None:
    """A restart asked for is seen by the demo; removing its file says it is done."""
    wish = wish_restart(tmp_path, "monitor")
    assert wished_restarts(tmp_path) == {"monitor": wish}
    wish.unlink()
    assert wished_restarts(tmp_path) == {}
