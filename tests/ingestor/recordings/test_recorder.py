"""Raw capture: what was received can be replayed, and nobody ever waits for it."""

import errno
import gzip
import json
import os
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingestor.recordings.recorder import RawCapture, line
from ingestor.recordings.recording import describe, read_frames
from tests.ingestor.wire import Wire, us
from tests.waiting import eventually

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
    return RawCapture(
        folder, written=counts.wrote, dropped=counts.drop, size=size, sync_seconds=0.0
    )


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


class Disk:
    """A disk that takes so many bytes more, and half of what is too much."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room, self._write = room, os.write
        monkeypatch.setattr("ingestor.recordings.recorder.os.write", self)

    def __call__(self, number: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = self._write(number, data[: self.room])
        self.room -= taken
        return taken


def test_a_full_disk_costs_its_time_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One message, one file, and what is counted as written is there; then it goes on."""
    disk, counts = Disk(monkeypatch, 100_000), Counts()
    raw = capture(tmp_path, counts)

    def offer(*numbers: int) -> None:
        for number in numbers:
            raw.offer(b'{"n":%d,"x":"%s"}' % (number, os.urandom(50).hex().encode()), us(0), 1)

    with capture_logs() as logs:
        offer(*range(100))
        eventually(lambda: counts.written == 100)
        disk.room = 300
        offer(*range(100, 200))
        eventually(lambda: counts.written + counts.dropped == 200)
        assert counts.dropped > 50
        disk.room = 100_000
        offer(*range(200, 300))
        eventually(lambda: counts.written + counts.dropped == 300)
        raw.close()
    [path] = tmp_path.iterdir()
    lines = gzip.decompress(path.read_bytes()).splitlines()
    numbers = [json.loads(each)["payload"]["n"] for each in lines]
    assert len(numbers) == counts.written
    assert numbers[:100] == list(range(100))
    assert numbers[-100:] == list(range(200, 300))
    assert [each["event"] for each in logs] == ["capture.stopped", "capture.goes_on"]


def test_a_killed_capture_is_read_up_to_the_last_sync(tmp_path: Path) -> None:
    """Without the gzip's end: every line that was counted is there."""
    wire, counts = Wire(), Counts()
    raw = capture(tmp_path, counts)
    for number in range(50):
        raw.offer(wire.ticker(number * 0.1), us(number * 0.1), 1)
    eventually(lambda: counts.written == 50)
    [path] = tmp_path.iterdir()
    left = tmp_path / "left.ndjson.gz"
    left.write_bytes(path.read_bytes())
    raw.close()
    found = describe(left)
    assert found.tickers == {"BTC-USD": 50}
    assert found.notes == ("the gzip has no end: what was written before is read",)


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
