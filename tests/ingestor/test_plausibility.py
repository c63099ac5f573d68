"""What may stand in ``ticks``, and the reason why not; the same limits for all who read it."""

import msgspec
import pytest

from ingestor.plausibility import LATEST_US, ImplausibleError, check_number, check_time
from ingestor.tick import Event, decode, encode
from tests.featurizer.market import beat, break_at, tick


@pytest.mark.parametrize("event", [tick(1), beat(1), break_at(1)])
def test_events_are_read(event: Event) -> None:
    """Tick, Beat and Break come through as they were written."""
    assert decode(encode(event)) == event


def changed(**fields: object) -> bytes:
    """A tick's JSON with other fields."""
    return msgspec.json.encode({**msgspec.json.decode(encode(tick(1))), **fields})


DEEP = b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
HUGE = encode(tick(1)).replace(b'"time_us":', b'"time_us":1' + b"0" * 5_000)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "truncated"),
        (b"\xff\xfe", "malformed"),
        (b'{"kind":"tick","feed":"\xff\xfe"}', "utf-8"),
        (b"{}", "kind"),
        (b"null", "expected|Expected"),
        (DEEP, "recursion"),
        (HUGE, "out of range"),
        (changed(kind="trade"), "trade"),
        (changed(schema_version=2), "found schema_version 2, expected 1"),
        (changed(schema_version=0), "found schema_version 0, expected 1"),
        (changed(product_id=""), "product_id of 0 characters found"),
        (changed(product_id="x" * 65), "product_id of 65 characters found"),
        (changed(time_us=-1), "time_us -1 found"),
        (changed(received_us=LATEST_US + 1), "received_us .* found"),
        (changed(trade_id=2**64), "trade_id .* found"),
        (changed(price=0), "price 0.0 found"),
        (changed(bid="99"), r"\$.bid"),
        (changed(bid=0), "bid 0.0 found, expected a number from"),
        (changed(bid=-5), "bid -5.0 found"),
        (changed(ask=1e300), "ask 1e\\+300 found"),
        (changed(bid=102.0, ask=101.0), "ask 101.0 found, expected at least bid 102.0"),
        (changed(bid=0.01, ask=1_000_000), "ask 1000000.0 found"),
        (changed(bid_size=-1), "bid_size -1.0 found, expected a number from 0 to"),
        (changed(ask_size=1e300), "ask_size"),
    ],
)
def test_what_cannot_be_meant_is_refused(data: bytes, reason: str) -> None:
    """The reason says what was found and what was expected."""
    with pytest.raises(msgspec.DecodeError, match=reason):
        decode(data)


def test_a_break_needs_no_quote() -> None:
    """Its trades may be uncounted, not fewer than none."""
    with pytest.raises(msgspec.DecodeError, match="missing -1 found"):
        decode(encode(msgspec.structs.replace(break_at(1), missing=-1)))


@pytest.mark.parametrize("check", [check_time, check_number])
def test_a_number_beyond_writing_down_is_named_by_its_size(check: object) -> None:
    """Python refuses to print an integer of more than some thousand digits."""
    with pytest.raises(ImplausibleError, match="bits found"):
        check("n", 10**10_000)  # type: ignore[operator]
