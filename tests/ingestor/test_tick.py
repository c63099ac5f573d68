"""Tick, Beat and Break on the wire."""

import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from ingestor.plausibility import LARGEST, LATEST_US, SMALLEST_PRICE, ImplausibleError
from ingestor.tick import Beat, Break, Event, Tick, check, decode, encode
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


NEAR = st.sampled_from([0.0, -1.0, SMALLEST_PRICE, 1.0, 5.0, 5.01, LARGEST, 2 * LARGEST])
WHOLE = st.sampled_from([-1, 0, 1, LATEST_US, LATEST_US + 1, 2**63 - 1, 2**63, 10**30])
LIMITED = (
    {"price": NEAR, "bid": NEAR, "ask": NEAR, "time_us": WHOLE, "received_us": WHOLE}
    | dict.fromkeys(("bid_size", "ask_size", "size"), st.none() | NEAR)
    | dict.fromkeys(("trade_id", "sequence", "missing"), st.none() | WHOLE)
    | {"product_id": st.sampled_from(["", "P", "P" * 64, "P" * 65])}
)


@given(st.sampled_from([tick(1), beat(1), break_at(1)]), st.data())
def test_what_is_read_at_once_breaks_no_limit(event: Event, data: st.DataObject) -> None:
    """The decoder and the limits one by one are of one mind, whatever the values."""
    names = [name for name in event.__struct_fields__ if name in LIMITED]
    wrong = data.draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    made = structs.replace(event, **{name: data.draw(LIMITED[name]) for name in wrong})
    written = json.dumps({"kind": data_kind(event), **structs.asdict(made)}).encode()
    try:
        check(made)
    except ImplausibleError as exc:
        with pytest.raises(msgspec.DecodeError, match=re.escape(str(exc).split(" found")[0])):
            decode(written)
    else:
        assert decode(written) == made


def data_kind(event: Event) -> str:
    """What stands in a record for the class of an event."""
    kind = json.loads(encode(event))["kind"]
    assert isinstance(kind, str)
    return kind
