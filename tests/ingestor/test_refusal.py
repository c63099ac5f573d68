"""A record that cannot be used becomes a dead letter."""

import pytest

from ingestor.dead_letter import REASON_LIMIT, DeadLetter, decode
from ingestor.refusal import refusal
from plumbing.kafka import Record

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def record(value: bytes, key: str = "BTC-USD", **headers: str) -> Record:
    """A record of ``ticks``."""
    return Record("ticks", 3, 17, 1, key, value, headers)


def test_the_letter_names_who_refused_what_and_why() -> None:
    """Its feed is unknown, as what cannot be read does not say where it is from."""
    sent = refusal("featurizer", record(b"\xffnot json"), "expected a tick", 5)
    assert (sent.topic, sent.key) == ("dead-letters", "BTC-USD")
    assert decode(sent.value) == DeadLetter(
        feed="unknown",
        source="featurizer",
        reason="expected a tick",
        raw="\N{REPLACEMENT CHARACTER}not json",
        raw_bytes=9,
        received_us=5,
        product_id="BTC-USD",
        topic="ticks",
        partition=3,
        offset=17,
    )


def test_the_letter_goes_on_in_the_trace_of_the_record() -> None:
    """By a span of its own; without a trace it has none."""
    parent = refusal("scorer", record(b"", traceparent=TRACE), "", 5).headers["traceparent"]
    assert parent.split("-")[1] == TRACE.split("-")[1]
    assert parent != TRACE
    assert not refusal("scorer", record(b""), "", 5).headers


@pytest.mark.parametrize(("key", "product_id"), [("", None), ("ETH-USD", "ETH-USD")])
def test_the_key_is_the_product(key: str, product_id: str | None) -> None:
    """A record without key belongs to no product."""
    sent = refusal("scorer", record(b"", key), "", 5)
    assert (sent.key, decode(sent.value).product_id) == (key, product_id)


def test_a_long_reason_is_cut() -> None:
    """What a topic can carry."""
    assert len(decode(refusal("scorer", record(b""), "x" * 9_999, 5).value).reason) == REASON_LIMIT
