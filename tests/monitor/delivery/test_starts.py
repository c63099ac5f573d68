"""Which starts are told, together or not at all."""

import json

from monitor.delivery.starts import Sparing, Start, message_of, start_of
from tests.monitor.delivery.world import names, started
from tests.signals.world import FIRST, SECOND, TAU


def begun(name: str = "BTC-USD", at: int = 30, level: int = 2) -> Start:
    """A start that was received just now."""
    record = started(name, at, level)
    start = start_of(record, record.row.received_us)
    assert start is not None
    return start


def test_a_spike_from_calm_is_one_start() -> None:
    """Of both levels that begin, the higher; with the values of the row that decided it."""
    start = begun()
    assert (start.level, start.cause, start.start_us) == ("spike", "outlook", (FIRST + 30) * SECOND)
    assert (start.score, start.severe, start.tau) == (0.9, 0.8, TAU)
    assert begun(level=1).level == "elevated"


def test_what_is_old_is_no_start() -> None:
    """It is in the topic, and is told to nobody."""
    record = started()
    assert start_of(record, record.row.received_us + 16 * SECOND) is None


def test_a_product_is_told_of_once_in_five_minutes() -> None:
    """Another product at any time."""
    sparing = Sparing()
    assert sparing.admit([begun()], 0.0)
    assert sparing.admit([begun(at=200)], 299.0) == []
    assert sparing.admit([begun("ETH-USD")], 299.0)
    assert sparing.admit([begun(at=400)], 300.0)


def test_of_a_product_that_starts_twice_together_the_newest_is_told() -> None:
    """Elevated, then a spike some seconds later."""
    starts = [begun(level=1), begun("ETH-USD"), begun(at=35)]
    admitted = Sparing().admit(starts, 0.0)
    assert [(start.product_id, start.level) for start in admitted] == [
        ("BTC-USD", "spike"),
        ("ETH-USD", "spike"),
    ]


def test_a_message_has_all_starts_that_came_together() -> None:
    """In the form that Standard Webhooks recommends: type, timestamp, data."""
    message = message_of([begun(), begun("ETH-USD")], FIRST * SECOND, made=0.0)
    body = json.loads(message.body)
    assert (body["type"], body["timestamp"]) == ("signals.started", "2023-11-14T22:20:00Z")
    assert names(body["data"]["starts"]) == [("BTC-USD", "spike"), ("ETH-USD", "spike")]
    again = message_of([begun("ETH-USD"), begun()], FIRST * SECOND + 1, made=9.0)
    assert again.name == message.name
