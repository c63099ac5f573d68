"""Single lines of captures, in every form."""

import json
from typing import Any

import pytest

from ingestor.recordings.formats import UNUSABLE, Entry, envelope_of, parse
from ingestor.recordings.lines import ForeignDialect

STAMP = "2026-03-01T12:00:00.5Z"
TICKER = {"product_id": "BTC-USD", "price": "1", "best_bid": "1", "best_ask": "2"}


def frame(number: int = -1, channel: str = "ticker", **ticker: str) -> dict[str, Any]:
    """A frame of Advanced Trade with one ticker."""
    events = [{"type": "update", "tickers": [TICKER | ticker]}]
    return {"channel": channel, "timestamp": STAMP, "sequence_num": number, "events": events}


def read(*lines: Any) -> list[Entry]:
    """Read lines as a capture has them."""

    def refuse(exc: Exception) -> None:
        raise exc

    return list(parse([json.dumps(line).encode() + b"\n" for line in lines], refuse))


@pytest.mark.parametrize(
    "line",
    [
        frame(7),
        {"ingest_time": "2026-03-01T12:00:01Z", "product_id": "BTC-USD", "payload": frame(7)},
        {**TICKER, "timestamp": STAMP, "sequence_num": 7},
        {**TICKER, "ws_timestamp": STAMP, "timestamp": "2026-03-01T11:00:00Z", "sequence_num": 7},
    ],
    ids=["frame", "wrapped", "flattened", "flattened by the exchange's time"],
)
def test_each_form_stands_for_one_frame(line: dict[str, Any]) -> None:
    """Channel, time, number and quote are the same whatever the form."""
    [found] = read(line)
    assert (found.envelope.channel, found.envelope.sequence_num) == ("ticker", 7)
    assert found.time_us == 1_772_366_400_500_000
    [ticker] = found.tickers
    assert (ticker.product_id, ticker.best_bid, ticker.best_ask) == ("BTC-USD", "1", "2")
    assert not ticker.sized


def test_other_names_of_sizes_are_known() -> None:
    """Recorders shorten ``best_bid_quantity``; a line with both sizes is sized."""
    [found] = read({**TICKER, "timestamp": STAMP, "best_bid_qty": "3", "best_ask_qty": 4})
    assert found.tickers[0].sized
    assert (found.tickers[0].best_bid_quantity, found.tickers[0].best_ask_quantity) == ("3", "4")


def test_lost_numbers_are_counted_over_what_is_left_out() -> None:
    """A number that another channel had is not lost; a smaller one begins a connection."""
    found = read(frame(1), frame(2, channel="l2_data"), frame(3), frame(6), frame(0))
    assert [(each.lost, each.restarted) for each in found] == [
        (0, False),
        (0, False),
        (2, False),
        (0, True),
    ]


def test_an_error_frame_carries_no_market() -> None:
    """It is left out."""
    assert read({"type": "error", "message": "x"}) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ([1], "not an object"),
        ({"price": "1"}, "neither a frame"),
        ({"channel": "ticker", "timestamp": STAMP}, "no list of events"),
        (TICKER, "found no time"),
        ({**TICKER, "timestamp": True}, "found time True"),
        ({**TICKER, "timestamp": "yesterday"}, "found time 'yesterday'"),
        ({**TICKER, "timestamp": STAMP, "sequence_num": "x"}, "invalid literal"),
        ({"ingest_time": STAMP, "payload": "no frame"}, "malformed"),
    ],
)
def test_a_line_of_no_form_is_refused(line: Any, found: str) -> None:
    """The reason says what was found."""
    with pytest.raises(UNUSABLE, match=found):
        read(frame(1), line)


@pytest.mark.parametrize(
    "line",
    [
        {"type": "ticker", "product_id": "A", "time": STAMP, "sequence": 1, **TICKER},
        {"type": "l2update", "product_id": "A"},
        {"ts": 1, "pair": "A", "raw": "{}"},
    ],
)
def test_the_exchange_dialect_is_known_by_its_words(line: Any) -> None:
    """It has quotes of another meaning: nothing of it is read by guessing."""
    with pytest.raises(ForeignDialect, match="not readable here yet"):
        read(line)


NO_TIME = {key: value for key, value in frame(7).items() if key != "timestamp"}
AT_US = 1_772_366_400_500_000


@pytest.mark.parametrize(
    "line",
    [
        {**TICKER, "time": STAMP},
        {**TICKER, "ts": STAMP},
        {**TICKER, "received_at": "2026-03-01 12:00:00.500"},
        {**TICKER, "timestamp": AT_US / 1e6},
        {**TICKER, "timestamp": AT_US // 1_000},
        {**TICKER, "timestamp": AT_US},
        {**TICKER, "timestamp": AT_US * 1_000},
        {**TICKER, "timestamp": str(AT_US)},
        {**TICKER, "timestamp": "2026-03-01T14:00:00.5+02:00"},
        {**frame(7), "timestamp": AT_US // 1_000, "sequence_num": "7"},
        {"received_at": STAMP, "payload": NO_TIME},
        {"ingest_time": "2026-03-01T12:00:01Z", "payload": json.dumps(frame(7))},
        {**frame(7, price=1, best_bid=1, best_ask=2.0)},
    ],
)
def test_common_times_and_wrappings_are_read(line: dict[str, Any]) -> None:
    """By other names, as numbers in four units, beside the frame, and numbers as numbers."""
    [found] = read(line)
    assert found.time_us == AT_US
    assert float(found.tickers[0].best_ask) == 2


@pytest.mark.parametrize(
    "stamp", [b"2026-03-01T12:00:00.5Z ", b"1772366400.5: ", b"1772366400500000\t"]
)
def test_a_frame_after_its_time_is_read(stamp: bytes) -> None:
    """As tardis writes it; the frame's own time comes first."""
    own = envelope_of(stamp + json.dumps(frame(7)).encode())
    received = envelope_of(stamp + json.dumps(NO_TIME).encode())
    assert own is not None and received is not None
    assert (own.timestamp, received.timestamp[:21]) == (STAMP, STAMP[:21])
