"""Record: what the topic ``signals`` holds, and its JSON."""

from typing import Final

import msgspec

from ingestor.plausibility import check_product, check_time
from plumbing.messages import read_message
from signals.events import Event
from signals.row import Budget, Row
from signals.state import State

SCHEMA_VERSION: Final = 1


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a product's state, and all that a machine needs to go on.

    ``row`` is the prediction whose values decided it; behind a blind stretch without rows, the one
    before it. ``state`` is where the machine stood after ``state.offset`` of ``predictions``: of
    several records of one prediction the last has the state after it, those before it the state
    before it, so that no record is lost whichever is the newest that was written.
    """

    product_id: str
    feed: str
    event: Event
    row: Row
    budget: Budget
    state: State
    schema_version: int = SCHEMA_VERSION


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


def encode(record: Record) -> bytes:
    """Return the JSON of a record, as it stands in ``signals``."""
    return _encoder.encode(record)


def decode(data: bytes) -> Record:
    """Read one of ``signals``; raises ``msgspec.DecodeError`` naming the bad field."""
    return read_message(_decoder, data, SCHEMA_VERSION, _check)


def _check(record: Record) -> None:
    check_product(record.product_id)
    check_time("time_us", record.event.time_us)
    check_time("row.time_us", record.row.time_us)
