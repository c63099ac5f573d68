"""What a run leaves beside the topics."""

import json
from pathlib import Path

import pytest

from local.report import reason_of, replay


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (
            [{"level": "error", "event": "recording.unreadable", "reason": "x, line 1: no"}],
            "x, line 1: no",
        ),
        ([{"level": "error", "reason": "first"}, "Traceback …", {"level": "info"}], "first"),
        ([{"level": "info", "reason": "no error"}, "text", []], ""),
        ([], ""),
    ],
)
def test_the_reason_of_an_end_is_its_last_error(
    tmp_path: Path, lines: list[object], reason: str
) -> None:
    """Of a log of JSON lines and other text; nothing where there is none."""
    log = tmp_path / "simulator.log"
    log.write_text("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines))
    assert reason_of(log) == reason


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({}, ""),
        ({"recording": "day.ndjson", "state": "ended"}, "day.ndjson: ended"),
        ({"state": "waiting", "behind_seconds": 4_500.0}, "generated market: waiting"),
        (
            {"state": "running", "behind_seconds": 2_640.4},
            "generated market: running, catching up, 44 min behind",
        ),
        ({"state": "running", "behind_seconds": 0.1}, "generated market: running"),
    ],
)
def test_the_simulator_is_told_of_in_words(status: dict[str, object], words: str) -> None:
    """How far its past is behind, as long as it is caught up."""
    assert replay(status) == words
