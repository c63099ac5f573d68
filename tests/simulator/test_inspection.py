"""What is said of a recording: each oddity by its kind, and whether training can use it."""

import gzip
from pathlib import Path

import pytest

from ingestor.instant import SECOND_US
from ingestor.recordings.lines import RecordingError
from ingestor.recordings.recorder import line
from simulator.__main__ import look
from simulator.inspection import Findings, inspect, obstacles, recordings_at, report
from simulator.market import frames
from tests.ingestor.wire import BTC, Wire, us

START_US = 1_704_067_200 * SECOND_US
SECONDS = 400


def market(path: Path, seconds: int = SECONDS) -> Path:
    """Record a generated market; each frame comes 0.05 s and some microseconds late."""
    made = frames(7, [BTC], START_US, seconds)
    lines = (line(f.data, f.time_us + 50_000 + 37 * n % 9_000) for n, f in enumerate(made))
    path.write_bytes(gzip.compress(b"".join(lines)))
    return path


def odd(found: Findings) -> dict[str, int]:
    """Return the oddities that were found."""
    return {kind: n for kind, n in found.oddities.items() if n}


def written(path: Path, *made: bytes) -> Findings:
    """Write these frames, all received 1 s after second 100, and look at them."""
    path.write_bytes(b"".join(line(frame, us(101)) for frame in made))
    return inspect(path)


def test_a_market_serves(tmp_path: Path) -> None:
    """Span, channels, ticks and delays are those of what was recorded; nothing is odd."""
    made = list(frames(7, [BTC], START_US, SECONDS))
    found = inspect(market(tmp_path / "m.ndjson.gz"))
    assert (found.frames, found.seconds) == (
        len(made),
        (made[-1].time_us - made[0].time_us) / SECOND_US,
    )
    assert found.channels["heartbeats"] == sum(b'"heartbeats"' in f.data for f in made)
    assert found.products[BTC].ticks == found.products[BTC].sized == found.channels["ticker"]
    assert found.delays_us is not None and 50_000 <= found.delays_us[0] <= found.delays_us[1]
    assert (odd(found), obstacles(found)) == ({}, [])
    assert list(report(found))[-1] == "  training     yes"


def test_oddities_by_their_kind(tmp_path: Path) -> None:
    """A lost number, a new connection, a late frame, a bad quote and a torn line are counted."""
    wire = Wire()
    made = [wire.ticker(0), wire.ticker(5)]
    wire.lose(2)
    made += [wire.ticker(6, bid=7.0, ask=3.0), wire.ticker(2), b"nothing"]
    found = written(tmp_path / "odd.ndjson", *made, Wire().ticker(7))
    assert odd(found) == {
        "lost frame (by its number)": 2,
        "refused ticker: best_ask": 1,
        "frame over 1 s older than one before": 1,
        "line that is no frame": 1,
        "connection begun anew": 1,
    }


def test_gaps_by_product(tmp_path: Path) -> None:
    """Over 10 s without ticker or trade of a product is a gap of it, heartbeats or not."""
    wire = Wire()
    made = [wire.ticker(0), wire.heartbeat(6), wire.ticker(10), wire.trades(21, 1), wire.ticker(22)]
    found = written(tmp_path / "gaps.ndjson", *made)
    each = found.products[BTC]
    assert (each.ticks, each.trades, each.gaps, each.longest_us) == (3, 1, 1, 11 * SECOND_US)


@pytest.mark.parametrize(
    ("frames_of", "why"),
    [
        (lambda wire: [wire.heartbeat(0)], "found no ticker"),
        (lambda wire: [wire.ticker(0), wire.ticker(9)], "9 s long"),
        (lambda wire: [wire.ticker(0)] * 9, "repeat the time before"),
        (
            lambda wire: [wire.ticker(0).replace(b"000000000Z", b"000Z")],
            "no time is finer than a microsecond",
        ),
        (lambda wire: [b"nothing"] * 9, "cannot be|expected one frame|lines read"),
    ],
)
def test_what_training_cannot_use_is_said(tmp_path: Path, frames_of, why: str) -> None:  # type: ignore[no-untyped-def]
    """Each obstacle is named."""
    found = written(tmp_path / "no.ndjson", *frames_of(Wire()))
    assert any(part in "; ".join(obstacles(found)) for part in why.split("|"))
    assert list(report(found))[-1].startswith("  training     no: ")


def test_the_command_looks_at_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every recording is told, a killed one too; 0 where one serves, else 1, 2 for nothing."""
    whole = market(tmp_path / "a.ndjson.gz").read_bytes()
    (tmp_path / "b.ndjson.gz").write_bytes(whole[: len(whole) // 20])
    assert look([str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert (
        "a.ndjson.gz: " in told
        and "b.ndjson.gz: " in told
        and "what was written before is read" in told
    )
    assert told.endswith("1 of 2 serve for training\n")
    assert look([str(tmp_path / "b.ndjson.gz")]) == 1
    assert look([str(tmp_path / "none")]) == 2
    with pytest.raises(RecordingError):
        recordings_at(tmp_path / "none")
