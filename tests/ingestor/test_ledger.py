"""Breaks become lines that say up to where a product was whole."""

import msgspec
import pytest

from ingestor.ledger import FeedEvent, Ledger, decode, encode
from tests.featurizer.market import SECOND, START, beat, break_at, tick


def test_a_break_says_from_where_to_where() -> None:
    """From the last tick before it to its own time; the loss that is known is counted."""
    ledger = Ledger()
    assert ledger.note(tick(START)) is None
    line = ledger.note(break_at(START + 3 * SECOND, missing=2))
    assert line is not None
    assert (line.kind, line.reason, line.product_id) == ("break", "sequence", "BTC-USD")
    assert (line.from_us, line.to_us, line.missing) == (START, START + 3 * SECOND, 2)


def test_nothing_was_whole_before_the_first_tick() -> None:
    """A feed that begins with a Break has no time up to which it was whole."""
    line = Ledger().note(break_at(START))
    assert line is not None and line.from_us is None


def test_a_beat_makes_its_whole_second_known() -> None:
    """Its time is the last microsecond of the second, so the product is whole up to the next."""
    ledger = Ledger()
    ledger.note(beat(START // SECOND))
    line = ledger.note(break_at(START + 5 * SECOND))
    assert line is not None and line.from_us == START + SECOND


def test_a_late_tick_takes_nothing_back() -> None:
    """What was whole stays whole."""
    ledger = Ledger()
    ledger.note(tick(START + 2 * SECOND))
    ledger.note(tick(START))
    line = ledger.note(break_at(START + 5 * SECOND))
    assert line is not None and line.from_us == START + 2 * SECOND


def test_feeds_and_products_are_apart() -> None:
    """Another product, or the same one on another feed, makes nothing whole."""
    ledger = Ledger()
    ledger.note(tick(START, product_id="ETH-USD"))
    ledger.note(tick(START, feed="g"))
    line = ledger.note(break_at(START + SECOND))
    assert line is not None and line.from_us is None


def test_a_line_comes_back_as_it_was_written() -> None:
    """And one of another kind is refused by name."""
    line = FeedEvent(kind="silent", feed="f", at_us=1, reason="no word for 15 s")
    assert decode(encode(line)) == line
    with pytest.raises(msgspec.ValidationError, match="kind"):
        decode(encode(line).replace(b"silent", b"asleep"))
