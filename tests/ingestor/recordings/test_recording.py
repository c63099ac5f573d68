"""Every form of capture as one stream of whole frames."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ingestor.recordings.recording import Frame, RecordingError, describe, read_frames

DATA = Path(__file__).resolve().parents[2] / "data"
SIZED = ("frames", "wrapped", "flat_ws_timestamp", "flat_raw")
FORMS = (*SIZED, "flat_timestamp")
START = 1_772_366_400  # 2026-03-01T12:00:00Z

Content = dict[str, Any]


def contents(frames: Iterable[Frame]) -> list[Content]:
    """The frames' JSON."""
    return [json.loads(frame.data) for frame in frames]


def tickers(frames: Iterable[Content]) -> list[Content]:
    """All single tickers of the frames."""
    events = [e for f in frames if f["channel"] == "ticker" for e in f["events"]]
    return [ticker for event in events for ticker in event["tickers"]]


def ticker_at(second: float, **more: Any) -> Content:
    """A ticker frame so many seconds after 12:00:00."""
    whole, part = divmod(round(second * 1_000_000), 1_000_000)
    stamp = f"2026-03-01T12:{whole // 60:02d}:{whole % 60:02d}.{part:06d}Z"
    ticker = {"product_id": "BTC-USD", "price": "1", "best_bid": "1", "best_ask": "2"}
    events = [{"type": "update", "tickers": [ticker]}]
    return {"channel": "ticker", "timestamp": stamp, "events": events} | more


def trades_at(second: float, *ids: int, product: str = "BTC-USD") -> Content:
    """A frame of trades with these ids."""
    trades = [{"product_id": product, "trade_id": str(number)} for number in ids]
    events = [{"type": "update", "trades": trades}]
    return {**ticker_at(second), "channel": "market_trades", "events": events}


def written(folder: Path, *lines: Content | str) -> Path:
    """A recording with these lines."""
    path = folder / "made.ndjson"
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


def heartbeat_seconds(path: Path) -> list[int]:
    """The seconds after 12:00:00 in which heartbeats stand."""
    beats = (f for f in read_frames(path) if b'"heartbeats"' in f.data)
    return [frame.time_us // 1_000_000 - START for frame in beats]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_quotes(form: str) -> None:
    """Price and quote of each ticker come out of each form unchanged."""
    found = tickers(contents(read_frames(DATA / f"advanced_{form}.ndjson")))
    assert [(t["price"], t["best_bid"], t["best_ask"]) for t in found] == [
        ("100.25", "100.2", "100.3"),
        ("100.3", "100.25", "100.35"),
        ("100.1", "100.05", "100.15"),
    ]
    assert {t["volume_24_h"] for t in found} == {"1000"}


@pytest.mark.parametrize("form", SIZED)
def test_sizes_come_out_of_each_form_that_has_them(form: str) -> None:
    """Sizes are found under each of their names."""
    path = DATA / f"advanced_{form}.ndjson"
    found = tickers(contents(read_frames(path)))
    sizes = [(t["best_bid_quantity"], t["best_ask_quantity"]) for t in found]
    assert sizes == [("1.5", "0.5"), ("0.25", "2"), ("0.75", "0.75")]
    assert describe(path).has_sizes


def test_missing_sizes_stay_missing() -> None:
    """No size is made up where the capture has none."""
    path = DATA / "advanced_flat_timestamp.ndjson"
    assert not any("quantity" in key for t in tickers(contents(read_frames(path))) for key in t)
    assert not describe(path).has_sizes


@pytest.mark.parametrize("form", FORMS)
def test_frames_are_numbered_over_all_channels_without_acks(form: str) -> None:
    """Numbers run from 0 without a hole over tickers and heartbeats; acks are gone."""
    frames = contents(read_frames(DATA / f"advanced_{form}.ndjson"))
    assert [frame["sequence_num"] for frame in frames] == list(range(len(frames)))
    assert Counter(f["channel"] for f in frames) == {"ticker": 3, "heartbeats": 2}


def test_nanoseconds_are_kept() -> None:
    """Digits below the microsecond stay in the frame and are cut in ``time_us``."""
    first = next(read_frames(DATA / "advanced_frames.ndjson"))
    assert json.loads(first.data)["timestamp"] == "2026-03-01T12:00:00.100000123Z"
    assert first.time_us == START * 1_000_000 + 100_000


def test_a_time_without_a_zone_is_utc() -> None:
    """A naive timestamp is read as UTC and written as the exchange would."""
    first = next(read_frames(DATA / "advanced_flat_raw.ndjson"))
    assert json.loads(first.data)["timestamp"] == "2026-03-01T12:00:00.100000Z"
    assert first.time_us == START * 1_000_000 + 100_000


def test_gzip_and_plain_give_the_same_frames(tmp_path: Path) -> None:
    """A gzipped capture is known by its bytes, whatever it is called."""
    plain = DATA / "advanced_wrapped.ndjson"
    packed = tmp_path / "capture.bin"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert list(read_frames(packed)) == list(read_frames(plain))


def test_describe_says_what_a_recording_holds(tmp_path: Path) -> None:
    """Name, digest, products with counts, and first and last event time."""
    other = ticker_at(3)
    other["events"][0]["tickers"][0]["product_id"] = "ETH-USD"
    path = written(tmp_path, ticker_at(1), other, ticker_at(7.5))
    found = describe(path)
    assert (found.name, found.products) == ("made.ndjson", ("BTC-USD", "ETH-USD"))
    assert found.tickers == {"BTC-USD": 2, "ETH-USD": 1}
    assert (found.first_us, found.last_us) == ((START + 1) * 10**6, START * 10**6 + 7_500_000)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_heartbeats_fill_a_silence_of_ten_seconds(tmp_path: Path) -> None:
    """Up to 10 s between tickers the feed was alive: one heartbeat a second."""
    path = written(tmp_path, ticker_at(0.5), ticker_at(10.5))
    assert heartbeat_seconds(path) == list(range(1, 11))


def test_no_heartbeat_stands_inside_a_longer_silence(tmp_path: Path) -> None:
    """More than 10 s between tickers leaves the silence without heartbeats, and they go on."""
    path = written(tmp_path, ticker_at(0.5), ticker_at(10.6), ticker_at(12.6))
    assert heartbeat_seconds(path) == [11, 12]


def test_consecutive_trade_ids_bridge_a_longer_silence(tmp_path: Path) -> None:
    """Trades without a hole prove that nothing was missed in 30 s."""
    path = written(
        tmp_path, ticker_at(0), trades_at(0.1, 7, 8), trades_at(25, 10, 9), ticker_at(30)
    )
    assert heartbeat_seconds(path) == list(range(1, 31))


def test_trades_with_a_hole_bridge_nothing(tmp_path: Path) -> None:
    """A missing trade id leaves the long silence dead, although frames came in it."""
    path = written(tmp_path, ticker_at(0), trades_at(0.1, 7), trades_at(6, 9), ticker_at(12))
    assert heartbeat_seconds(path) == []


def test_a_recording_keeps_its_own_heartbeats(tmp_path: Path) -> None:
    """Where a capture has heartbeats, none is made."""
    own = {"channel": "heartbeats", "events": [{"heartbeat_counter": 5}], "sequence_num": 1}
    path = written(
        tmp_path,
        ticker_at(0, sequence_num=0),
        ticker_at(0.7) | own,
        ticker_at(9, sequence_num=2),
    )
    assert heartbeat_seconds(path) == [0]


def test_a_new_connection_leaves_out_one_number(tmp_path: Path) -> None:
    """Numbers that start over show a lost connection, which the reader must see."""
    path = written(
        tmp_path,
        ticker_at(0.0, sequence_num=5),
        ticker_at(0.1, sequence_num=6),
        ticker_at(0.2, sequence_num=0),
    )
    assert [frame["sequence_num"] for frame in contents(read_frames(path))] == [0, 1, 3]


def test_holes_are_kept_where_the_recording_is_complete(tmp_path: Path) -> None:
    """With heartbeats of its own, a hole in a capture's numbers is a loss; an ack is none."""
    beat = {"channel": "heartbeats", "events": [{"heartbeat_counter": 5}]}
    ack = {"channel": "subscriptions", "events": [{"subscriptions": {}}]}
    path = written(
        tmp_path,
        ticker_at(0.0, sequence_num=0),
        ticker_at(0.1, sequence_num=1) | ack,
        ticker_at(0.2, sequence_num=2) | beat,
        ticker_at(0.3, sequence_num=5),
    )
    assert [frame["sequence_num"] for frame in contents(read_frames(path))] == [0, 1, 4]


def test_other_channels_and_errors_are_left_out(tmp_path: Path) -> None:
    """Level 2 and error frames are no part of the stream, and blank lines are nothing."""
    level2 = {**ticker_at(0.1), "channel": "l2_data"}
    path = written(tmp_path, ticker_at(0), level2, '{"type":"error","message":"x"}', "")
    assert [frame["channel"] for frame in contents(read_frames(path))] == ["ticker"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("not json", "malformed"),
        ("[1]", "not an object"),
        ('{"channel":"ticker","timestamp":"2026-03-01T12:00:00Z"}', "no list of events"),
        ('{"best_bid":"1","timestamp":"2026-03-01T12:00:00Z"}', "product_id"),
        ('{"product_id":"BTC-USD","price":"1","best_bid":"1","timestamp":"2026"}', "2026"),
        ('{"price":"1"}', "neither a frame"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, found: str) -> None:
    """The error names file, line, what was found and what was expected."""
    path = written(tmp_path, ticker_at(0), *[line] * 4)
    with pytest.raises(RecordingError, match=r"made.ndjson, line 2: .*expected") as raised:
        describe(path)
    assert found in str(raised.value)
    some = describe(written(tmp_path, ticker_at(0), line, ticker_at(1)))
    assert some.tickers == {"BTC-USD": 2}
    assert "1 of 3 lines skipped, the first: line 2: " in some.notes[0] and found in some.notes[0]


def test_the_exchange_dialect_is_refused_by_name() -> None:
    """Whoever brings the other dialect is told so."""
    with pytest.raises(RecordingError, match="Exchange dialect, which is not readable here yet"):
        list(read_frames(DATA / "exchange_frames.ndjson"))


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """A file that is absent is an error of the recording, not of the system."""
    with pytest.raises(RecordingError, match=r"absent.ndjson"):
        describe(tmp_path / "absent.ndjson")


def test_a_recording_without_a_ticker_is_refused(tmp_path: Path) -> None:
    """An empty file is nothing to play or to learn from."""
    with pytest.raises(RecordingError, match="found no ticker"):
        describe(written(tmp_path))


CAPTURES = {
    "adv_ticker_btc_20260405T2235_20min": {"BTC-USD": 5970},
    "adv_ticker_btc_20260404T2113_15min": {"BTC-USD": 3108},
    "adv_flat_btc_20260404T2254_65min": {"BTC-USD": 10881},
    "adv_flat_btc_20260406T1502_10min": {"BTC-USD": 3578},
    "adv_flat_btc_20260407T1546_1min": {"BTC-USD": 330},
    "adv_flat_btc_eth_20260404T0319_11min": {"BTC-USD": 1428, "ETH-USD": 1072},
    "adv_flat_btc_20251108T1512_43s": {"BTC-USD": 223},
}


@pytest.mark.captures
@pytest.mark.parametrize("name", CAPTURES)
@pytest.mark.exhaustive
def test_every_real_capture_reads_in_full(captures: Path, name: str) -> None:
    """Each real capture has as many tickers as its description says, numbered without a hole."""
    path = captures / f"{name}.ndjson.gz"
    frames = contents(read_frames(path))
    assert Counter(t["product_id"] for t in tickers(frames)) == CAPTURES[name]
    assert describe(path).tickers == CAPTURES[name]
    assert [frame["sequence_num"] for frame in frames] == list(range(len(frames)))


@pytest.mark.captures
def test_the_silence_of_a_real_capture_has_no_heartbeat(captures: Path) -> None:
    """The 65-minute capture is silent for 25 s once: that is where heartbeats are missing."""
    path = captures / "adv_flat_btc_20260404T2254_65min.ndjson.gz"
    seconds = heartbeat_seconds(path)
    steps = Counter(b - a for a, b in pairwise(seconds))
    assert set(steps) == {1, 26} and steps[26] == 1


@pytest.mark.captures
def test_an_exchange_capture_is_refused(captures: Path) -> None:
    """A real capture of the other dialect gives the clear error."""
    with pytest.raises(RecordingError, match="Exchange dialect"):
        read_frames(captures / "exch_ticker_btc_202511_4chunks.ndjson.gz")
