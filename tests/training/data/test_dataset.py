"""Recordings become a dataset, or are refused with file, row and reason."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from training.data.dataset import build, read_capture
from training.errors import DatasetError

Write = Callable[..., Path]
Lines = list[dict[str, str]]


def silent(_: str) -> None:
    """Say nothing."""


def test_a_folder_of_recordings(folder: Path) -> None:
    """All recordings of a folder are read, grouped by their time, counted and named."""
    said: list[str] = []
    dataset = build([folder], said.append)
    assert [c.file for c in dataset.captures] == ["first.ndjson", "second.ndjson", "third.ndjson"]
    assert dataset.group == (0, 1, 2)
    assert dataset.captures[0].usable == {"BTC-USD": 440, "ETH-USD": 440}
    assert len(dataset.table) == 4 * 440
    assert dataset.row_groups().tolist() == dataset.table.capture.tolist()
    assert said[3] == "read      second.ndjson: 1601 events, usable rows: 440 of BTC-USD"


def test_holdout_recordings_are_never_read(folder: Path) -> None:
    """The name of a holdout is left out, even when it is asked for by itself."""
    dataset = build([folder, folder / "second.ndjson"], silent, holdout=["second"])
    assert [c.file for c in dataset.captures] == ["first.ndjson", "third.ndjson"]
    assert dataset.left_out == (("second.ndjson", "holdout: kept for the final report"),) * 2


@pytest.fixture
def small(tmp_path: Path, write: Write) -> Path:
    """A folder of one recording that gives some rows."""
    data = tmp_path / "small"
    data.mkdir()
    write(data / "one.ndjson", seconds=400)
    return data


def with_client_clock(lines: Lines) -> Lines:
    """Cut the times to microseconds, as a client writes them."""
    return [line | {"timestamp": line["timestamp"][:26]} for line in lines]


def test_a_clients_clock_is_left_out(small: Path, write: Write) -> None:
    """Times without the exchange's nanoseconds are the recorder's own, and say nothing."""
    path = write(small / "wall.ndjson", 1_600_000_000, change=with_client_clock)
    dataset = build([small], silent)
    assert [file for file, _ in dataset.left_out] == ["wall.ndjson"]
    with pytest.raises(DatasetError, match=r"wall.ndjson: found no time finer than a microsecond"):
        build([path], silent)


def test_a_short_recording_is_left_out(small: Path, write: Write) -> None:
    """A recording without room for look-back and horizon gives no row."""
    write(small / "short.ndjson", 1_600_000_000, seconds=340)
    assert build([small], silent).left_out[0][1].startswith("too short: 339 s give no row")


def test_another_exchange(small: Path) -> None:
    """The Exchange dialect is left out of a folder; asked for by itself it is an error."""
    frame = {"type": "ticker", "product_id": "BTC-USD", "price": "1", "time": "2026-01-01"}
    path = small / "exch.ndjson"
    path.write_text(json.dumps({"ts": 1, "pair": "BTC-USD", "raw": json.dumps(frame)}) + "\n")
    reason = "line 1: of the Exchange dialect, expected Advanced Trade"
    assert build([small], silent).left_out == (("exch.ndjson", reason),)
    with pytest.raises(DatasetError, match=f"exch.ndjson: {reason}"):
        build([path], silent)


def test_an_unordered_recording_is_refused(tmp_path: Path, write: Write) -> None:
    """A frame older than the one before is named by its number and time."""

    def swapped(lines: Lines) -> Lines:
        return [*lines[:100], lines[50], *lines[100:]]

    path = write(tmp_path / "mixed.ndjson", change=swapped)
    with pytest.raises(DatasetError, match=r"mixed.ndjson, line 101: found .* in order of time"):
        read_capture(path)


def test_repeated_tickers_are_refused(tmp_path: Path, write: Write) -> None:
    """A recording that holds every tick twice is refused."""

    def doubled(lines: Lines) -> Lines:
        return [line for line in lines for _ in range(2)]

    path = write(tmp_path / "twice.ndjson", change=doubled)
    with pytest.raises(
        DatasetError,
        match=r"twice.ndjson: found 1600 of 3200 tickers repeated, the first in line 2",
    ):
        read_capture(path)


def test_an_empty_recording_is_refused(tmp_path: Path) -> None:
    """Nothing to learn from is an error, not an empty model."""
    path = tmp_path / "empty.ndjson"
    path.write_text("")
    with pytest.raises(DatasetError, match=r"empty.ndjson: found no ticker"):
        build([path], silent)


def test_an_unusable_ticker_is_refused(tmp_path: Path, write: Write) -> None:
    """A price that is no price is named with its place."""

    def spoiled(lines: Lines) -> Lines:
        return [*lines[:4], lines[4] | {"best_bid": "NaN"}, *lines[5:]]

    path = write(tmp_path / "nan.ndjson", change=spoiled)
    with pytest.raises(DatasetError, match=r"nan.ndjson, line 5: ticker: best_bid nan found"):
        read_capture(path)


def test_a_line_that_is_no_frame_is_refused(tmp_path: Path, write: Write) -> None:
    """Broken JSON is named by file and line."""
    path = write(tmp_path / "torn.ndjson")
    path.write_text(path.read_text()[:-20])
    with pytest.raises(DatasetError, match=r"torn.ndjson, line 1600"):
        read_capture(path)


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    """An empty folder, and a path that is not there, are errors."""
    with pytest.raises(DatasetError, match="found no usable row"):
        build([tmp_path], silent)
    with pytest.raises(DatasetError, match="found nothing, expected a recording"):
        build([tmp_path / "absent"], silent)


@pytest.mark.captures
def test_real_captures(captures: Path) -> None:
    """Of the real captures, those of the right dialect, clock and length are learned from."""
    dataset = build([captures], silent)
    assert {c.file.partition(".")[0]: c.usable for c in dataset.captures} == {
        "adv_flat_btc_eth_20260404T0319_11min": {"BTC-USD": 252, "ETH-USD": 214},
        "adv_ticker_btc_20260404T2113_15min": {"BTC-USD": 501},
        "adv_flat_btc_20260404T2254_65min": {"BTC-USD": 2898},
        "adv_ticker_btc_20260405T2235_20min": {"BTC-USD": 837},
    }
    left_out = dict(dataset.left_out)
    assert "client's clock" in left_out["adv_flat_btc_20251108T1512_43s.ndjson.gz"]
    assert "holdout" in left_out["adv_flat_btc_20260406T1502_10min.ndjson.gz"]
    assert "too short" in left_out["adv_flat_btc_20260407T1546_1min.ndjson.gz"]
    assert "Exchange" in left_out["exch_ticker_btc_202511_4chunks.ndjson.gz"]
