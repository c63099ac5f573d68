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


def row(feed: str, time_us: int, **fields: Any) -> tuple[str, bytes]:
    """Return a row of a feed."""
    known = {"realized_volatility_60s": 1e-4, "spread_mean_60s": 0.5}
    told = {"trade_id": 1, "kind": None, "features": known | fields.pop("features", {})}
    return "features", message(feed, time_us, **{**told, **fields})


def scored(feed: str, time_us: int, score: float, trade_id: int = 1) -> tuple[str, bytes]:
    """Return the prediction of a row of a feed."""
    told = {"trade_id": trade_id, "kind": None, "digest": "d", "score": score}
    return "predictions", message(feed, time_us, **told)


def test_rows_are_compared_in_what_both_releases_tell() -> None:
    """Not those of Beats; a feature that differs is told."""
    later = {"tau": 1e-4, "schema_version": 2, "appended": {"b": 1.0}}
    beat_us = 3_999_999
    rows = [row("a", 1), row("b", 1, **later), row("b", beat_us, trade_id=0)]
    made = [scored("a", 1, 0.5), scored("b", 1, 0.5), scored("b", beat_us, 0.5, trade_id=0)]
    found = compare([*left("a", 1), *left("b", 1), *rows, *made])
    assert found["features"] == found["predictions"] == {"shared": 1, "differing": 0}
    changed = [row("a", 1), row("b", 1, features={"spread_mean_60s": 0.25})]
    found = compare([*left("a"), *left("b"), *changed])
    assert found["features"] == {"shared": 1, "differing": 1}


def test_shadows_are_compared_in_what_both_releases_tell() -> None:
    """Their scores count, what came later does not."""
    told = {"trade_id": 1, "kind": None, "digest": "d", "score": 0.5}
    pairs = [("a", [{"score": 0.1}]), ("b", [{"score": 0.1, "severe": None, "thresholds": None}])]
    made = [("predictions", message(f, 1, **told, shadows=shadows)) for f, shadows in pairs]
    assert compare([*left("a"), *left("b"), *made])["predictions"]["differing"] == 0
    made[1] = ("predictions", message("b", 1, **told, shadows=[{"score": 0.2}]))
    assert compare([*left("a"), *left("b"), *made])["predictions"]["differing"] == 1


def test_a_volatility_that_one_knows_sooner_is_left_out() -> None:
    """And the prediction made of it; the rest of the row is compared, as are other rows."""
    unknown = {"features": {"realized_volatility_60s": None}}
    rows = [row("a", 1, **unknown), row("b", 1), row("a", 2), row("b", 2)]
    made = [scored(feed, at, at if feed == "a" else 2.0) for feed in "ab" for at in (1, 2)]
    found = compare([*left("a", 1), *left("b", 1), *rows, *made])
    assert found["features"] == {"shared": 2, "differing": 0}
    assert found["predictions"] == {"shared": 1, "differing": 0}
    other = row("b", 1, features={"spread_mean_60s": 0.25})
    found = compare([*left("a", 1), *left("b", 1), row("a", 1, **unknown), other])
    assert found["features"] == {"shared": 1, "differing": 1}


def test_one_feed_alone_is_told() -> None:
    """Without a second playing there is nothing to compare."""
    assert compare(left("a", 1)) == {"feeds": ["a"]}
