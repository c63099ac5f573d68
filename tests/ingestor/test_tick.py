"""Tick, Beat and Break on the wire."""

import json
from math import inf, nan
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from ingestor.plausibility import LARGEST, LATEST_US, SMALLEST_PRICE, ImplausibleError
from ingestor.tick import Beat, Break, Event, Tick, check, decode, encode, plausible
from tests.featurizer.market import beat, break_at, tick

SIZES = st.none() | st.floats(0.0, 1e6)


@given(st.integers(0, LATEST_US), st.floats(1e-6, 1e9), SIZES, st.none() | st.integers(0, 2**62))
def test_what_is_written_is_read(
    time_us: int, price: float, size: float | None, trade_id: int | None
) -> None:
    """Every value comes back to the bit, unknown ones as unknown."""
    made = tick(time_us, bid=price, ask=price, bid_size=size, trade_id=trade_id)
    assert decode(encode(made)) == made


@pytest.mark.parametrize(
    ("event", "kind"), [(tick(1), "tick"), (beat(1), "beat"), (break_at(1), "break")]
)
def test_the_kind_stands_in_the_record(event: Event, kind: str) -> None:
    """Readers tell the three apart by ``kind``, and get the class of each."""
    assert json.loads(encode(event))["kind"] == kind
    assert type(decode(encode(event))) is type(event)


def test_the_middle_of_the_quote_carries_returns() -> None:
    """Mid is the middle of bid and ask, of a Tick and of a Beat; the last price has no part."""
    made = tick(1, bid=99.0, ask=102.0)
    assert made.price == 102.0
    assert made.mid == beat(1, bid=99.0, ask=102.0).mid == 100.5


def test_a_wrong_field_is_named() -> None:
    """A record of another form is refused by the name of its field; unknown fields are ignored."""
    fields = json.loads(encode(tick(1)))
    assert decode(json.dumps(fields | {"new": 1}).encode()) == tick(1)
    with pytest.raises(msgspec.ValidationError, match="price"):
        decode(json.dumps(fields | {"price": "1"}).encode())
    with pytest.raises(msgspec.ValidationError, match="bid"):
        decode(json.dumps({name: v for name, v in fields.items() if name != "bid"}).encode())


def test_the_three_are_one_schema() -> None:
    """All carry feed, product, dialect, both times and the version of the schema."""
    shared = {"feed", "product_id", "dialect", "time_us", "received_us", "schema_version"}
    for kind in (Tick, Beat, Break):
        assert shared <= set(kind.__struct_fields__)


NEAR = st.sampled_from([0.0, -1.0, SMALLEST_PRICE, 1.0, 5.0, 5.01, LARGEST, 2 * LARGEST, inf, nan])
WHOLE = st.sampled_from([-1, 0, 1, LATEST_US, LATEST_US + 1, 2**63 - 1, 2**63, 10**5000])


@given(
    st.fixed_dictionaries(
        {"price": NEAR, "bid": NEAR, "ask": NEAR, "time_us": WHOLE, "received_us": WHOLE}
        | dict.fromkeys(("bid_size", "ask_size", "size"), st.none() | NEAR)
        | dict.fromkeys(("trade_id", "sequence"), st.none() | WHOLE)
        | {"product_id": st.sampled_from(["", "P", "P" * 64, "P" * 65])}
    ),
    st.lists(st.integers(0, 10), min_size=9, max_size=11, unique=True),
)
def test_what_is_plausible_at_once_breaks_no_limit(values: dict[str, Any], good: list[int]) -> None:
    """The quick answer and the limits one by one are of one mind, whatever the values."""
    fields = {name: value for at, (name, value) in enumerate(values.items()) if at not in good}
    made = structs.replace(tick(1), **fields)
    try:
        check(made)
    except ImplausibleError:
        assert not plausible(made)
    else:
        assert plausible(made)
