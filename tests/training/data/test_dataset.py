"""Recordings become a dataset, or are refused with file, row and reason."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.made_up import with_client_clock
from training.data.dataset import build, read_capture
from training.errors import DatasetError

Write = Callable[..., Path]
Lines = list[dict[str, str]]
Change = Callable[[Lines], Lines]


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


def test_frames_out_of_order_are_skipped_and_two_recordings_in_one_refused(
    tmp_path: Path, write: Write
) -> None:
    """One frame older than those before is noted with its line; half of the file is too much."""

    def swapped(lines: Lines) -> Lines:
        return [*lines[:100], lines[50], *lines[100:]]

    path = write(tmp_path / "mixed.ndjson", change=swapped)
    [note] = read_capture(path).notes
    assert "1 of 1601 lines skipped, the first: line 101: found" in note and "order of time" in note
    path = write(tmp_path / "twice.ndjson", change=lambda lines: [*lines, *lines])
    with pytest.raises(DatasetError, match=r"twice.ndjson, line 1601: found .* in order of time"):
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


def test_an_unusable_ticker_is_noted(tmp_path: Path, write: Write) -> None:
    """A price that is no price costs its ticker, with its place; too many cost the recording."""

    def spoiled(every: int, first: int = 0) -> Change:
        def change(lines: Lines) -> Lines:
            return [
                line | {"best_bid": "NaN"} if at % every == 0 and at >= first else line
                for at, line in enumerate(lines)
            ]

        return change

    few = read_capture(write(tmp_path / "few.ndjson", change=spoiled(100, 50)))
    [note] = few.notes
    assert "15 of 1600 lines skipped, the first: line 101: ticker: best_bid nan found" in note
    path = write(tmp_path / "many.ndjson", change=spoiled(10))
    with pytest.raises(DatasetError, match=r"many.ndjson, line 1: ticker: best_bid nan found"):
        read_capture(path)


def test_a_crash_costs_a_folder_nothing(small: Path, write: Write) -> None:
    """A killed gzip, a cut line and files that are none: read or left out, and said so."""
    killed = write(small / "a.ndjson", 1_600_000_000)
    (small / "a.ndjson.gz").write_bytes(gzip.compress(killed.read_bytes())[:-60])
    cut = write(killed, 1_700_000_000)
    cut.write_text(cut.read_text()[:-20])
    (small / "odd.ndjson").write_bytes(b"\x00\x01\x02\n" * 50)
    (small / "empty.json").write_bytes(b"")
    told: list[str] = []
    found = build([small], told.append)
    assert {c.file: c.notes for c in found.captures} == {
        "one.ndjson": (),
        "a.ndjson": ("the end is missing: line 1600 is cut off",),
        "a.ndjson.gz": ("the gzip has no end: what was written before is read",),
    }
    assert [file for file, _ in found.left_out] == ["empty.json", "odd.ndjson"]
    assert "line 1: " in found.left_out[1][1]
    assert any("note: the gzip has no end" in line for line in told)


def test_a_clients_clock_may_be_evaluated(small: Path, write: Write) -> None:
    """With a note, and only where it is allowed."""
    path = write(small / "wall.ndjson", 1_600_000_000, change=with_client_clock)
    [capture] = build([path], silent, any_clock=True).captures
    assert capture.notes[0].endswith("these are a client's clock")


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    """An empty folder, and a path that is not there, are errors."""
    with pytest.raises(DatasetError, match="found no usable row"):
        build([tmp_path], silent)
    with pytest.raises(DatasetError, match="found nothing, expected a recording"):
        build([tmp_path / "absent"], silent)


@pytest.mark.captures
@pytest.mark.exhaustive
def test_real_captures(captures: Path) -> None:
    """Of the real captures, those of the right dialect, clock and length are learned from."""
    dataset = build([captures], silent)
    assert {c.file.partition(".")[0]: c.usable for c in dataset.captures} == {
        "adv_flat_btc_eth_20260404T0319_11min": {"BTC-USD": 257, "ETH-USD": 223},
        "adv_ticker_btc_20260404T2113_15min": {"BTC-USD": 505},
        "adv_flat_btc_20260404T2254_65min": {"BTC-USD": 2920},
        "adv_flat_btc_20260406T1502_10min": {"BTC-USD": 241},
    }
    left_out = dict(dataset.left_out)
    assert "client's clock" in left_out["adv_flat_btc_20251108T1512_43s.ndjson.gz"]
    assert "holdout" in left_out["adv_ticker_btc_20260405T2235_20min.ndjson.gz"]
    assert "too short" in left_out["adv_flat_btc_20260407T1546_1min.ndjson.gz"]
    assert "Exchange" in left_out["exch_ticker_btc_202511_4chunks.ndjson.gz"]
