"""Recording without Kafka: what was recorded gives the rows that were made live."""

import asyncio
import os
import threading
from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace
from websockets.sync.server import ServerConnection, serve

from featurizer.engine import FeatureEngine
from featurizer.row import FeatureRow
from ingestor.advanced import parse
from ingestor.commands.session import record
from ingestor.config import Settings
from ingestor.continuity import Connection
from ingestor.instant import SECOND_US
from ingestor.recordings.recorder import RawCapture
from ingestor.recordings.recording import Frame, read_frames
from plumbing.stop import Stop
from simulator.market import frames
from tests.ingestor.wire import BTC, Wire

START_US = 1_704_067_200 * SECOND_US
SECONDS = 600
DELAY_US = 40_000


def rows(feed: str, made: Iterable[Frame]) -> list[FeatureRow]:
    """Return the rows of one connection over these frames."""
    connection, engine, found = Connection(feed, [BTC]), FeatureEngine(), []
    for frame in made:
        at_us = frame.time_us + DELAY_US
        for event in connection.take(parse(frame.data, at_us), at_us):
            row = engine.update(event)
            if row is not None:
                found.append(row)
    return found


def recorded(folder: Path, made: Iterable[Frame]) -> Path:
    """Record frames as the ingestor does; return the file."""
    capture = RawCapture(folder, written=lambda: None, dropped=os.abort)
    for frame in made:
        capture.offer(frame.data, frame.time_us + DELAY_US, 1)
    capture.close()
    [path] = folder.iterdir()
    return path


def test_rows_of_a_recording_are_the_live_rows(tmp_path: Path) -> None:
    """A session that was recorded whole gives row by row the same bits, but for the feed's name."""
    made = list(frames(7, [BTC], START_US, SECONDS))
    live = rows("coinbase", made)
    replayed = rows("recorded", read_frames(recorded(tmp_path / "r", made)))
    assert len(live) > SECONDS
    assert {row.feed for row in replayed} == {"recorded"}
    assert [unnamed(row) for row in replayed] == [unnamed(row) for row in live]


def test_a_recording_that_begins_later_lacks_long_windows_alone(tmp_path: Path) -> None:
    """Once 300 s are behind it, rows differ in feed, number, level and long windows only."""
    made = list(frames(7, [BTC], START_US, SECONDS))
    begin_us = START_US + 200 * SECOND_US
    path = recorded(tmp_path / "r", [frame for frame in made if frame.time_us >= begin_us])
    live, late = rows("coinbase", made), rows("recorded", read_frames(path))
    warm_us = begin_us + 305 * SECOND_US
    expected = [short(row) for row in live if row.time_us >= warm_us]
    assert len(expected) > 60
    assert [short(row) for row in late if row.time_us >= warm_us] == expected


def unnamed(row: FeatureRow) -> FeatureRow:
    """Return the row without the feed's name, which its id holds too."""
    return replace(row, row_id="", feed="")


def short(row: FeatureRow) -> FeatureRow:
    """Return the row without what a later beginning may change."""
    kept = {name: x for name, x in row.features.items() if not name.endswith(("_900s", "_3600s"))}
    bare = replace(unnamed(row), trade_id=0, features=kept, appended={})
    return replace(bare, tau=None, tau_status=None)


def test_the_command_records_until_it_is_told_to_end(tmp_path: Path) -> None:
    """Frames of a server are on the disk, whole and closed, once the end was wished for."""
    wire, stop, over = Wire(), Stop(), threading.Event()
    sent = [wire.ticker(0.2), wire.heartbeat(0.9), wire.ticker(1.4)]

    def speak(connection: ServerConnection) -> None:
        for _ in range(3):
            connection.recv()
        for frame in sent:
            connection.send(frame.decode())
        over.wait(60)  # a connection that ended would be made again, with the same frames

    with serve(speak, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.socket.getsockname()[1]
        settings = Settings(
            ws_url=f"ws://127.0.0.1:{port}", channels="ticker,heartbeats,market_trades"
        )
        counts = asyncio.run(_recorded(settings, tmp_path, stop))
        over.set()
        server.shutdown()
    [path] = tmp_path.iterdir()
    assert [frame.data for frame in read_frames(path)] == sent
    assert counts == (3, 0)


async def _recorded(settings: Settings, folder: Path, stop: Stop) -> tuple[int, int]:
    """Record in a thread until three frames are on the disk."""
    recording = asyncio.create_task(asyncio.to_thread(record, settings, folder, stop))
    while not any(folder.iterdir()):  # noqa: ASYNC240
        assert not recording.done(), recording
        await asyncio.sleep(0.01)
    stop.request()
    counts = await recording
    return counts.written, counts.dropped
