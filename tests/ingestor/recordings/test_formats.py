"""Single lines of captures, in every form."""

import json
from typing import Any

import pytest

from ingestor.recordings.formats import Entry, RecordingError, parse

STAMP = "2026-03-01T12:00:00.5Z"
TICKER = {"product_id": "BTC-USD", "price": "1", "best_bid": "1", "best_ask": "2"}


def frame(number: int = -1, channel: str = "ticker", **ticker: str) -> dict[str, Any]:
    """A frame of Advanced Trade with one ticker."""
    events = [{"type": "update", "tickers": [TICKER | ticker]}]
    return {"channel": channel, "timestamp": STAMP, "sequence_num": number, "events": events}


def read(*lines: Any) -> list[Entry]:
    """Read lines as a capture has them."""
    return list(parse([json.dumps(line).encode() + b"\n" for line in lines], "made"))


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
    ("line", "found"), [([1], "not an object"), ({"price": "1"}, "neither a frame")]
)
def test_a_line_of_no_form_is_named(line: Any, found: str) -> None:
    """The error has file, line, what was found and what was expected."""
    with pytest.raises(RecordingError, match=rf"made, line 2: {found}.*expected one frame"):
        read(frame(1), line)
