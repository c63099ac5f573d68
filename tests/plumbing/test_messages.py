"""Bytes become a message, or a reason of one kind."""

import msgspec
import pytest

from plumbing.messages import read_message


class Note(msgspec.Struct):
    """A message of two versions."""

    text: str
    count: int = 0
    schema_version: int = 2


DECODER = msgspec.json.Decoder(Note)


def few(note: Note) -> None:
    """Say that more than 9 cannot be meant."""
    if note.count > 9:
        raise ValueError(f"found count {note.count}, expected at most 9")


@pytest.mark.parametrize("version", [1, 2])
def test_known_versions_are_read(version: int) -> None:
    """Older ones, too."""
    data = b'{"text":"a","schema_version":%d}' % version
    assert read_message(DECODER, data, 2, few) == Note("a", 0, version)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "truncated"),
        (b"[]", "object"),
        (b'{"text":"\xff"}', "utf-8"),
        (b'{"text":NaN}', "malformed"),
        (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "recursion"),
        (b'{"text":"a","schema_version":3}', "found schema_version 3, expected 1 to 2"),
        (b'{"text":"a","schema_version":0}', "found schema_version 0, expected 1 to 2"),
        (b'{"text":"a","count":10}', "found count 10, expected at most 9"),
    ],
)
def test_all_else_is_one_kind_of_error(data: bytes, reason: str) -> None:
    """Whoever reads needs to know of one only."""
    with pytest.raises(msgspec.DecodeError, match=reason):
        read_message(DECODER, data, 2, few)
