"""A desk's own history, by a map of its columns."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from training.data.dataset import build, read_capture
from training.data.own_tables import map_beside
from training.errors import DatasetError

START = 1_700_000_000
MAP = {
    "timestamp": "ts_event",
    "product_id": {"value": "BTC-USD"},
    "price": "last",
    "best_bid": "bid",
    "best_ask": "ask",
}


def history(seconds: int = 500) -> pa.Table:
    """Quotes of so many seconds, two a second, their times to the nanosecond."""
    times = [(START * 2 + n) * 500_000_000 + 7 for n in range(2 * seconds)]
    mids = [67_000 + (n * 7919) % 13 for n in range(2 * seconds)]
    return pa.table(
        {
            "ts_event": pa.array(times, pa.timestamp("ns", "UTC")),
            "last": [float(mid) for mid in mids],
            "bid": [mid - 0.5 for mid in mids],
            "ask": [mid + 0.5 for mid in mids],
            "venue": ["ours"] * len(mids),
        }
    )


def with_map(path: Path, **changes: Any) -> Path:
    """Lay a map beside a table; None takes a field out."""
    fields = {key: value for key, value in (MAP | changes).items() if value is not None}
    map_beside(path).write_text(json.dumps(fields))
    return path


def silent(_: str) -> None:
    """Say nothing."""


@pytest.mark.parametrize("name", ["own.parquet", "own.csv", "own.csv.gz"])
def test_a_table_with_a_map_is_a_recording(tmp_path: Path, name: str) -> None:
    """Rows of it can be learned from, and are the same in either form."""
    path = with_map(tmp_path / name)
    if name.endswith(".parquet"):
        pq.write_table(history(), path)
    else:
        with pa.output_stream(path, compression="detect") as stream:
            pc.write_csv(history(), stream)
    [capture] = build([tmp_path], silent).captures
    assert (capture.file, capture.usable) == (name, {"BTC-USD": 140})
    assert capture.first_us == START * 1_000_000
    assert capture.notes == ()


def test_microseconds_need_a_word_on_the_clock(tmp_path: Path) -> None:
    """Times that could be a client's are the exchange's where the map says so."""
    table = history().cast(
        pa.schema(
            [
                (f.name, pa.timestamp("us", "UTC") if f.name == "ts_event" else f.type)
                for f in history().schema
            ]
        ),
        safe=False,
    )
    path = with_map(tmp_path / "own.parquet")
    pq.write_table(table, path)
    with pytest.raises(DatasetError, match="client's clock"):
        build([path], silent)
    with_map(path, clock="exchange")
    [capture] = build([path], silent).captures
    assert capture.notes == ("times of the exchange, as own.parquet.columns.json says",)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"best_bid": "bids"}, "found columns ts_event, last, bid, ask, venue, expected bids"),
        ({"best_bid": None}, "missing required field `best_bid`"),
        ({"bid": "bid"}, "unknown field `bid`"),
        ({"clock": "mine"}, "Invalid enum value 'mine'"),
    ],
)
def test_a_map_that_does_not_fit_is_named(
    tmp_path: Path, changes: dict[str, Any], found: str
) -> None:
    """With what was found and what was expected."""
    path = with_map(tmp_path / "own.parquet", **changes)
    pq.write_table(history(10), path)
    with pytest.raises(DatasetError, match=found):
        read_capture(path)


def test_a_table_that_is_none_is_named(tmp_path: Path) -> None:
    """Whatever its name says."""
    path = with_map(tmp_path / "own.parquet")
    path.write_bytes(b"no parquet")
    with pytest.raises(DatasetError, match=r"own.parquet: .*expected a Parquet or CSV"):
        read_capture(path)


def test_a_table_without_a_map_is_left_out(tmp_path: Path) -> None:
    """It says what would make it a recording."""
    pq.write_table(history(10), tmp_path / "own.parquet")
    with pytest.raises(DatasetError, match=r"or own.parquet.columns.json beside it"):
        build([tmp_path], silent)


def test_a_time_is_read_as_it_is(tmp_path: Path) -> None:
    """To the microsecond, whatever the zone of the column."""
    path = with_map(tmp_path / "own.parquet")
    pq.write_table(history(400), path)
    first = datetime.fromtimestamp(read_capture(path).first_us / 1e6, UTC)
    assert first == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
