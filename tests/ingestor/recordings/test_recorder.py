"""Raw capture: what was received can be replayed, and nobody ever waits for it."""

import gzip
import json
import threading
from pathlib import Path

import pytest

from ingestor.recordings.recorder import RawCapture, line
from ingestor.recordings.recording import read_frames
from tests.ingestor.wire import Wire, us

HOUR = 3600


class Counts:
    """Counts what was written and what was left out."""

    def __init__(self) -> None:
        self.written = self.dropped = 0
        self.gate = threading.Event()
        self.gate.set()

    def wrote(self) -> None:
        self.gate.wait(60)
        self.written += 1

    def drop(self) -> None:
        self.dropped += 1


def capture(folder: Path, counts: Counts, size: int = 1000) -> RawCapture:
    """Return a capture into a folder."""
    return RawCapture(folder, written=counts.wrote, dropped=counts.drop, size=size)


def test_frames_can_be_read_as_a_recording(tmp_path: Path) -> None:
    """What was captured is a recording of the wrapped form."""
    wire, counts = Wire(), Counts()
    frames = [wire.ticker(0.2), wire.heartbeat(0.9), wire.ticker(1.4)]
    raw = capture(tmp_path / "raw", counts)
    for frame in frames:
        raw.offer(frame, us(2), 1)
    raw.close()
    [path] = (tmp_path / "raw").iterdir()
    assert [json.loads(f.data) for f in read_frames(path)] == [json.loads(f) for f in frames]
    assert (counts.written, counts.dropped) == (3, 0)


def test_a_file_a_connection_and_hour(tmp_path: Path) -> None:
    """Numbers start afresh with a connection, so it has a file of its own; hours rotate."""
    raw = capture(tmp_path, Counts())
    for connection, at in ((1, 0), (1, 10), (1, HOUR), (2, HOUR + 1), (2, HOUR + 2)):
        raw.offer(b"{}", us(at), connection)
    raw.close()
    lengths = [gzip.decompress(p.read_bytes()).count(b"\n") for p in sorted(tmp_path.iterdir())]
    assert lengths == [2, 1, 2]


def test_a_full_buffer_drops_and_counts(tmp_path: Path) -> None:
    """The reader of the socket never waits: what cannot be held is counted."""
    counts = Counts()
    counts.gate.clear()
    raw = capture(tmp_path, counts, size=2)
    for number in range(20):
        raw.offer(b"{}", us(number), 1)
    counts.gate.set()
    raw.close()
    assert counts.dropped >= 17


def test_a_folder_that_cannot_be_written_drops_and_counts(tmp_path: Path) -> None:
    """A failing disk costs the capture, never the feed."""
    counts = Counts()
    raw = capture(tmp_path / "gone", counts)
    (tmp_path / "gone").rmdir()
    raw.offer(b"{}", us(0), 1)
    raw.close()
    assert (counts.written, counts.dropped) == (0, 1)


@pytest.mark.parametrize(
    ("frame", "payload"),
    [(b'{"a": 1}', {"a": 1}), (b'{\n"a": 1}', {"a": 1}), (b"\xff{", "�{"), (b"", "")],
)
def test_a_line_is_always_one_line_of_json(frame: bytes, payload: object) -> None:
    """Whatever came, the line can be read."""
    written = line(frame, 1_775_428_513_865_365)
    assert written.count(b"\n") == 1
    assert json.loads(written) == {
        "ingest_time": "2026-04-05T22:35:13.865365+00:00",
        "payload": payload,
    }
