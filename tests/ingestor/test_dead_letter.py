"""Letters of what could not be used."""

import msgspec
import pytest

from ingestor.dead_letter import RAW_LIMIT, REASON_LIMIT, dead_letter, decode, encode


def test_a_letter_comes_back_as_it_was_written() -> None:
    """Feed, reason, frame and our clock are in the record."""
    letter = dead_letter(
        "ingestor", "found x, expected y", b'{"a": 1}', 5, feed="f", product_id="BTC-USD"
    )
    assert decode(encode(letter)) == letter
    assert (letter.source, letter.raw, letter.raw_bytes) == ("ingestor", '{"a": 1}', 8)


def test_a_long_frame_is_cut_and_its_length_kept() -> None:
    """Fully escaped it stays below the 1 MB that a record may have."""
    letter = dead_letter("ingestor", "r" * 600, b"\x00" * (RAW_LIMIT + 1), 5)
    assert (len(letter.raw), letter.raw_bytes) == (RAW_LIMIT, RAW_LIMIT + 1)
    assert len(letter.reason) == REASON_LIMIT
    assert len(encode(letter)) < 1_000_000


def test_bytes_that_are_no_text_are_replaced() -> None:
    """A frame that is not UTF-8 is a letter all the same."""
    assert (
        decode(encode(dead_letter("ingestor", "r", b"a\xffb", 5))).raw
        == "a\N{REPLACEMENT CHARACTER}b"
    )


def test_a_record_without_a_field_is_refused() -> None:
    """The error names the field."""
    with pytest.raises(msgspec.ValidationError, match="source"):
        decode(b'{"feed": "f"}')
