"""Log lines of a process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import logging
from plumbing.logs import configure, get_logger
configure("ingestor", "INFO")
get_logger().info("feed.connected", products=["BTC-USD"])
get_logger().debug("feed.frame")
logging.getLogger("kafka").warning("no %s", "broker")
logging.getLogger("kafka").info("chatter")
try:
    raise ValueError("bad")
except ValueError:
    get_logger().exception("feed.failed")
"""


@pytest.mark.process
def test_every_line_is_json_with_event_and_service() -> None:
    """Our events and the warnings of libraries come out as JSON; less is left out."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert [line["event"] for line in lines] == ["feed.connected", "no broker", "feed.failed"]
    assert {line["service"] for line in lines} == {"ingestor"}
    assert lines[0]["products"] == ["BTC-USD"] and lines[0]["level"] == "info"
    assert "ValueError: bad" in lines[2]["exception"]
