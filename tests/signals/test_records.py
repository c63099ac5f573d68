"""Records of the topic ``signals`` and their JSON."""

import msgspec
import pytest

from signals.records import decode, encode
from tests.signals.world import played, stream

RECORDS = played(stream(1, 800))


def test_records_are_read_as_they_were_written() -> None:
    """Every kind of event comes back equal."""
    assert {type(r.event).__name__ for r in RECORDS} >= {"Change", "End", "Verdict", "Minute"}
    assert [decode(encode(record)) for record in RECORDS] == RECORDS


@pytest.mark.parametrize(
    "change", [{"product_id": ""}, {"event": {"kind": "minute", "time_us": -1}}, {"event": {}}]
)
def test_what_cannot_be_meant_is_refused(change: dict[str, object]) -> None:
    """With the one error that readers of topics know."""
    wrong = msgspec.json.encode({**msgspec.to_builtins(RECORDS[0]), **change})
    with pytest.raises(msgspec.DecodeError):
        decode(wrong)
