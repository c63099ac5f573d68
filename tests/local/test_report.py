"""What a run leaves beside the topics."""

import json
from pathlib import Path

import pytest

from local.report import reason_of


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
