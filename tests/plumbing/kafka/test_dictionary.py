"""What is packed comes back to the byte; what cannot be read says why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zstandard import ZstdCompressor

from plumbing.kafka.dictionary import (
    HELD,
    LEAST_NUMBER,
    MOST_BYTES,
    MOST_NUMBER,
    PACKED,
    NotUnpacked,
    Unpacker,
    joined,
    packable,
    parted,
    trained,
)
from tests.plumbing.kafka.rows import rows_of

MADE = trained(rows_of(48))
assert MADE is not None
KNOWN = {MADE.number: MADE.data}


@given(st.binary(max_size=2_000))
def test_whatever_is_packed_comes_back(data: bytes) -> None:
    """Also what the dictionary never saw."""
    value = data.replace(b"\0", b"")
    assert Unpacker(KNOWN.get).unpack(MADE.pack(value)) == (value, {})


@given(st.dictionaries(st.text(), st.text()))
def test_headers_stand_behind_the_value(headers: dict[str, str]) -> None:
    """Any text in them, and none at all."""
    packed = MADE.pack(joined(b'{"a":1}', headers))
    assert Unpacker(KNOWN.get).unpack(packed) == (b'{"a":1}', headers)
    assert parted(joined(b"[]", headers)) == (b"[]", headers)


def test_a_row_takes_a_third_of_itself() -> None:
    """Of rows that the dictionary was not made of."""
    later = rows_of(200)[100:]
    packed = sum(len(MADE.pack(row)) for row in later)
    assert packed < 0.35 * sum(map(len, later))


def test_a_number_is_one_that_is_free_for_anybody() -> None:
    """It follows from the samples."""
    assert LEAST_NUMBER <= MADE.number < MOST_NUMBER
    again = trained(rows_of(48))
    assert again is not None and (again.number, again.data) == (MADE.number, MADE.data)


@pytest.mark.parametrize("samples", [[], [b"a"], [b"abc"] * 4])
def test_of_too_little_no_dictionary_is_made(samples: list[bytes]) -> None:
    """It is no error."""
    assert trained(samples) is None


@pytest.mark.parametrize("value", [b"", PACKED + b"more", b'{"a":"\0"}'])
def test_what_could_not_be_told_apart_is_not_packed(value: bytes) -> None:
    """A null, what looks packed, and what holds the byte between value and headers."""
    assert not packable(value) and packable(b"{}")


def test_a_plain_value_is_left_as_it_is() -> None:
    """Releases and producers of before write such, and so does who packs nothing."""
    assert Unpacker({}.get).unpack(b'{"a":1}') == (b'{"a":1}', {})


HUGE = PACKED + b"\xe3" + MADE.number.to_bytes(4, "little") + (2**60).to_bytes(8, "little")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (MADE.pack(b"{}" * 50)[:-3], "expected a whole frame of zstd"),
        (PACKED, "expected a whole frame of zstd"),
        (PACKED + bytes(range(40)), "expected"),
        (HUGE, f"expected {MOST_BYTES} at most"),
        (MADE.pack(b"{}\0[1]"), "expected a whole frame of zstd"),
        (MADE.pack(b"{}\0{\xff}"), "expected a whole frame of zstd"),
    ],
)
def test_what_is_no_frame_of_ours_is_refused(value: bytes, reason: str) -> None:
    """Cut off, made up, or larger than anything: found and expected are said."""
    with pytest.raises(NotUnpacked, match=reason):
        Unpacker(KNOWN.get).unpack(value)


def test_a_dictionary_that_nobody_keeps_is_named() -> None:
    """By its number; each is looked for once."""
    asked: list[int] = []
    unpacker = Unpacker(lambda number: asked.append(number) or KNOWN.get(number))
    for _ in range(3):
        unpacker.unpack(MADE.pack(b"{}"))
    assert asked == [MADE.number]
    with pytest.raises(NotUnpacked, match=f"found dictionary {MADE.number}, expected one"):
        Unpacker({}.get).unpack(MADE.pack(b"{}"))


def test_a_reader_holds_the_latest_dictionaries_alone() -> None:
    """One that was used long ago is found again; what cannot be a number is not looked for."""
    made = [found for seed in range(HELD + 4) if (found := trained(rows_of(48, seed=seed)))]
    kept, asked = {one.number: one.data for one in made}, list[int]()

    def find(number: int) -> bytes | None:
        asked.append(number)
        return kept.get(number)

    unpacker = Unpacker(find)
    for one in (*made, made[-1], made[0]):
        assert unpacker.unpack(one.pack(b"{}")) == (b"{}", {})
    assert asked == [*kept, made[0].number] and len(unpacker._known) == HELD
    low = PACKED + ZstdCompressor().compress(b"{}")[4:]
    with pytest.raises(NotUnpacked, match="found dictionary 0, expected"):
        unpacker.unpack(low)
    assert len(asked) == len(kept) + 1
