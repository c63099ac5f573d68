"""The wire forms of closed minutes, bins and days."""

import msgspec
import pytest

from featurizer.level.records import Bin, Day, Minute, decode_level, decode_minute, encode

NAMED = {"feed": "f", "product_id": "P", "run_us": 1}
MINUTE = Minute(**NAMED, start_us=60_000_000, cells=((3, 1), (9, 2)), n=59, squares=1e-6)


def test_records_come_back_as_they_went() -> None:
    """Bytes and values, of each kind."""
    assert decode_minute(encode(MINUTE)) == MINUTE
    assert encode(MINUTE).startswith(b'{"kind":"minute","feed":"f","product_id":"P","run_us":1,')
    for record in (
        Bin(**NAMED, start_us=600_000_000, cells=()),
        Day(**NAMED, start_us=0, cells=()),
    ):
        assert decode_level(encode(record)) == record


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"start_us": 61_000_000}, "multiple of 60 s"),
        ({"cells": ((9, 1), (3, 1))}, "in their order"),
        ({"cells": ((642, 1),)}, "0 to 641"),
        ({"cells": ((3, 61),)}, "1 to 60"),
        ({"cells": ((3, 0),)}, "1 to 60"),
        ({"squares": -1.0}, "sum of squares"),
        ({"product_id": ""}, "product_id"),
        ({"schema_version": 2}, "schema_version"),
    ],
)
def test_what_cannot_be_meant_is_refused(change: dict[str, object], said: str) -> None:
    """The message says what was expected."""
    with pytest.raises(msgspec.DecodeError, match=said):
        decode_minute(encode(msgspec.structs.replace(MINUTE, **change)))


def test_topics_are_not_mixed_up() -> None:
    """A minute is no level, and a bin no minute."""
    with pytest.raises(msgspec.DecodeError, match="minute"):
        decode_level(encode(MINUTE))
    with pytest.raises(msgspec.DecodeError, match="bin"):
        decode_minute(encode(Bin(**NAMED, start_us=0, cells=())))
