"""What two playings of one market left is compared where both have told."""

import json
from typing import Any

from tests.e2e.twice import compare

END_US = 10_000_000


def message(feed: str, time_us: int, **fields: Any) -> bytes:
    """Return a message of a feed."""
    told = {"feed": feed, "product_id": "BTC-USD", "time_us": time_us, "kind": "tick"}
    return json.dumps({**told, "received_us": ord(feed), "price": 1.0, **fields}).encode()


def left(feed: str, *times_us: int, **fields: Any) -> list[tuple[str, bytes]]:
    """Return the ticks of a feed up to the end."""
    return [("ticks", message(feed, each, **fields)) for each in (*times_us, END_US)]


def test_equal_playings_share_all() -> None:
    """What belongs to one playing is not held against the other."""
    found = compare([*left("a", 1, 2), *left("b", 1, 2)])
    assert found["feeds"] == ["a", "b"]
    assert found["ticks"] == {"shared": 2, "differing": 0}
    assert found["features"] == found["predictions"] == {"shared": 0, "differing": 0}


def test_a_lost_and_a_changed_message_differ() -> None:
    """One that only one feed has counts, as does one with another content."""
    assert compare([*left("a", 1, 2), *left("b", 1)])["ticks"]["differing"] == 1
    found = compare([*left("a", 1, 2), *left("b", 1, 2, price=1.0 + 2**-52)])
    assert found["ticks"]["differing"] == 2


def test_only_what_both_have_told_is_compared() -> None:
    """A playing that was cut short is compared up to two seconds before its end."""
    longer = [*left("b", 1), ("ticks", message("b", 2 * END_US))]
    assert compare([*left("a", 1), *longer])["ticks"] == {"shared": 1, "differing": 0}


def test_breaks_belong_to_a_playing() -> None:
    """Where one feed was interrupted, nothing is compared."""
    interrupted = ("ticks", message("a", 1, kind="break"))
    assert compare([interrupted, *left("a", 2), *left("b", 2)])["ticks"]["differing"] == 0


def test_one_feed_alone_is_told() -> None:
    """Without a second playing there is nothing to compare."""
    assert compare(left("a", 1)) == {"feeds": ["a"]}
