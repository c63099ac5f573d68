"""Keys and headers are bytes to Kafka: what is no text is said, and stops nothing."""

from typing import Any

import msgspec
import pytest
from kafka import TopicPartition
from structlog.testing import capture_logs

from plumbing.kafka import PassedOver, Record, message_of
from plumbing.kafka.records import Names

AT = TopicPartition("run-ticks", 3)


class Raw:
    """A record as kafka-python gives it."""

    topic, partition, offset, timestamp = "run-ticks", 3, 5, 7

    def __init__(self, **own: Any) -> None:
        self.key, self.value, self.headers = b"BTC-USD", b"{}", []
        self.__dict__.update(own)


def record_of(**own: Any) -> Record:
    """The record that this becomes on our side."""
    [found] = Names("run-").records({AT: [Raw(**own)]})
    return found


def test_a_usual_record_has_no_flaw() -> None:
    """Text stays text, the prefix goes."""
    found = record_of(headers=[("traceparent", b"00-1")])
    assert (found.topic, found.key, found.headers) == ("ticks", "BTC-USD", {"traceparent": "00-1"})
    assert found.flaw == "" and message_of(found, bytes) == b"{}"


def test_a_null_header_is_none() -> None:
    """It says nothing, and is no flaw."""
    found = record_of(headers=[("a", None), ("b", b"c")])
    assert found.headers == {"b": "c"} and not found.flaw


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        ({"key": b"\xff\xfe"}, "key: found b'\\\\xff\\\\xfe', expected UTF-8"),
        ({"headers": [("origin", b"\xff")]}, "header origin: found .*, expected UTF-8"),
        ({"value": None}, "found no value, expected JSON"),
        ({"value": b""}, "found no value, expected JSON"),
    ],
)
def test_what_is_no_text_is_the_reason(own: dict[str, Any], reason: str) -> None:
    """The record comes through all the same, so that a letter can be made of it."""
    with pytest.raises(msgspec.DecodeError, match=reason):
        message_of(record_of(**own), bytes)


def test_who_passes_over_counts_all_and_tells_of_the_first() -> None:
    """A topic full of strange bytes fills no log."""
    passed = PassedOver("a test")
    records = [record_of(), record_of(key=b"\xff"), record_of(value=None)]
    with capture_logs() as logs:
        assert [m for _, m in passed.read(records, bytes)] == [b"{}"]
        passed.tell()
    assert passed.counts == {"ticks": 2}
    assert [line["event"] for line in logs] == ["records.passed_over"] * 2
    assert logs[0]["offset"] == 5 and logs[1]["counts"] == {"ticks": 2}
