"""What may enter the engine, and the reason why not."""

import msgspec
import pytest

from featurizer.decoding import RefusedError, read_event
from ingestor.tick import Event, encode
from tests.featurizer.market import beat, break_at, tick


@pytest.mark.parametrize("event", [tick(1), beat(1), break_at(1)])
def test_events_are_read(event: Event) -> None:
    """Tick, Beat and Break come through as they were written."""
    assert read_event(encode(event)) == event


def changed(**fields: object) -> bytes:
    """A tick's JSON with other fields."""
    return msgspec.json.encode({**msgspec.json.decode(encode(tick(1))), **fields})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "expected a tick, beat or break"),
        (b"\xff\xfe", "expected a tick, beat or break"),
        (b"{}", "kind"),
        (changed(kind="trade"), "trade"),
        (changed(bid="99"), r"\$.bid"),
        (changed(bid=0), "expected bid and ask from .*, found 0.0 and 101.0"),
        (changed(bid=-5), "found -5.0"),
        (changed(ask=1e300), "found 99.0 and 1e\\+300"),
        (changed(bid_size=-1), "expected bid_size from 0 to .*, found -1.0"),
        (changed(ask_size=1e300), "expected ask_size"),
    ],
)
def test_what_cannot_be_used_is_refused(data: bytes, reason: str) -> None:
    """The reason says what was found and what was expected."""
    with pytest.raises(RefusedError, match=reason):
        read_event(data)


def test_crossed_quotes_are_read() -> None:
    """A bid above the ask is odd, not impossible."""
    assert read_event(encode(tick(1, bid=102.0, ask=101.0))) == tick(1, bid=102.0, ask=101.0)
