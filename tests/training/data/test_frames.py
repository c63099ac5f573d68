"""A recording is parsed once, and says what its replay would."""

import gzip
import json
from pathlib import Path

import pytest

from ingestor import continuity
from ingestor.instant import text_of
from ingestor.recordings.lines import RecordedLines
from ingestor.recordings.recording import read_frames
from ingestor.tick import Break, Event
from training.data.frames import messages

ROOT = Path(__file__).resolve().parents[3]


def recorded(path: Path) -> list[Event]:
    """Return the events of a recording by way of ``messages``."""
    connection = continuity.Connection(path.name)
    return [
        event
        for one in messages(RecordedLines(path), RecordedLines(path))
        for event in connection.take(one.message, one.message.time_us or 0)
    ]


def replayed(path: Path) -> list[Event]:
    """Return them by way of the frames that the simulator replays."""
    return list(continuity.events(read_frames(path), path.name))


@pytest.mark.parametrize("path", sorted((ROOT / "tests/data").glob("advanced_*.ndjson")))
def test_every_form_says_what_its_replay_says(path: Path) -> None:
    """Frames, wrapped frames and flattened tickers of either key style give equal events."""
    assert recorded(path) == replayed(path)


def frame(number: int, second: float, channel: str = "ticker") -> dict[str, object]:
    """Make a whole frame."""
    ticker = {"product_id": "A", "price": "1", "best_bid": "1", "best_ask": "2"}
    events: list[object] = [{"type": "update", "tickers": [ticker]}]
    if channel == "heartbeats":
        events = [{"current_time": "", "heartbeat_counter": number}]
    if channel == "subscriptions":
        events = [{"subscriptions": {"heartbeats": ["heartbeats"]}}]
    time = text_of(round(second * 1_000_000), 1)
    return {"channel": channel, "timestamp": time, "sequence_num": number, "events": events}


def written(path: Path, lines: list[object]) -> Path:
    """Write lines as JSON, packed."""
    path.write_bytes(gzip.compress(b"".join(json.dumps(x).encode() + b"\n" for x in lines)))
    return path


def test_own_heartbeats_holes_and_restarts(tmp_path: Path) -> None:
    """Lost numbers, another connection, acks, errors, wrapping and flattening are all heard."""
    flat = {"product_id": "A", "price": "1", "best_bid": "1", "best_ask": "2", "sequence_num": 11}
    lines: list[object] = [
        frame(0, 1),
        frame(1, 1.1, "subscriptions"),
        frame(2, 2, "heartbeats"),
        {"ingest_time": "x", "payload": frame(3, 2.5)},
        {"type": "error", "message": "no"},
        frame(6, 3.5),
        frame(9, 4, "candles"),
        frame(10, 5, "heartbeats"),
        flat | {"timestamp": text_of(6_000_000, 3)},
        frame(0, 7),
        frame(2, 8.5),
    ]
    path = written(tmp_path / "own.ndjson.gz", lines)
    found = recorded(path)
    assert found == replayed(path)
    assert sum(isinstance(event, Break) for event in found) == 5


def test_broken_lines_are_skipped_as_a_replay_does(tmp_path: Path) -> None:
    """Where frames are read as they stand, too; what they were numbered is a hole."""
    lines = [frame(n, n / 5, "ticker" if n % 5 else "heartbeats") for n in range(100)]
    path = written(tmp_path / "x.ndjson.gz", [*lines[:50], [1], *lines[51:]])
    again = RecordedLines(path)
    assert recorded(path) == replayed(path)
    assert sum(isinstance(event, Break) for event in recorded(path)) == 2
    list(messages(again, RecordedLines(path)))
    assert again.notes == (
        "1 of 100 lines skipped, the first: line 51: not an object; found '[1]'",
    )


def test_other_times_are_read_among_own_heartbeats(tmp_path: Path) -> None:
    """Frames that need more than a look go the way of a replay."""
    odd = frame(2, 2.5) | {"timestamp": 2_500_000_001}
    path = written(tmp_path / "x.ndjson.gz", [frame(0, 1, "heartbeats"), frame(1, 2), odd])
    assert recorded(path) == replayed(path)
