"""Records of closed minutes, bins and days: what the topics ``minutes`` and ``levels`` hold.

They are content alone, so a record that comes again has the same bytes.
"""

from typing import Final

import msgspec

from featurizer.level.histogram import OVERFLOW, Cells
from featurizer.slots import MICROSECONDS
from ingestor.plausibility import check_number, check_product, check_time
from plumbing.messages import read_message

SCHEMA_VERSION: Final = 1
MINUTE_SECONDS: Final = 60
BIN_SECONDS: Final = 600
DAY_SECONDS: Final = 86_400


class _Closed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A stretch of event time of one run that is over.

    ``run_us`` is the event time of the run's first event, ``start_us`` where the stretch begins,
    both epoch microseconds. ``cells`` count the 60-second volatilities of its seconds.
    """

    feed: str
    product_id: str
    run_us: int
    start_us: int
    cells: Cells
    schema_version: int = SCHEMA_VERSION

    @property
    def second(self) -> int:
        """Epoch second in which the stretch begins."""
        return self.start_us // MICROSECONDS


class Minute(_Closed, frozen=True, kw_only=True, tag="minute"):
    """A closed epoch minute: ``n`` returns of one second, and Σ r² of them by ``math.fsum``."""

    n: int
    squares: float


class Bin(_Closed, frozen=True, kw_only=True, tag="bin"):
    """Ten closed minutes, aligned to the epoch."""


class Day(_Closed, frozen=True, kw_only=True, tag="day"):
    """A closed UTC day: its bins together."""


Closed = Minute | Bin | Day
_LENGTHS: Final = {Minute: MINUTE_SECONDS, Bin: BIN_SECONDS, Day: DAY_SECONDS}

_encoder = msgspec.json.Encoder()
_minutes: msgspec.json.Decoder[Minute] = msgspec.json.Decoder(Minute)
_levels: msgspec.json.Decoder[Bin | Day] = msgspec.json.Decoder(Bin | Day)


def encode(record: Closed) -> bytes:
    """Return the JSON of a record, as it stands in its topic."""
    return _encoder.encode(record)


def decode_minute(data: bytes) -> Minute:
    """Read a record of ``minutes``; raises ``msgspec.DecodeError`` saying what is wrong."""
    return read_message(_minutes, data, SCHEMA_VERSION, _check)


def decode_level(data: bytes) -> Bin | Day:
    """Read a record of ``levels``; raises ``msgspec.DecodeError`` saying what is wrong."""
    return read_message(_levels, data, SCHEMA_VERSION, _check)


def _check(record: Closed) -> None:
    check_product(record.product_id)
    check_time("run_us", record.run_us)
    check_time("start_us", record.start_us)
    length = _LENGTHS[type(record)]
    if record.start_us % (length * MICROSECONDS):
        raise ValueError(f"found start_us {record.start_us}, expected a multiple of {length} s")
    _check_cells(record.cells, length)
    if isinstance(record, Minute):
        check_number("n", record.n)
        if not 0 <= record.squares < float("inf"):
            raise ValueError(f"found squares {record.squares}, expected a sum of squares")


def _check_cells(cells: Cells, seconds: int) -> None:
    numbers = [cell for cell, _ in cells]
    if numbers != sorted({cell for cell in numbers if 0 <= cell <= OVERFLOW}):
        raise ValueError(f"found cells {numbers}, expected some of 0 to {OVERFLOW} in their order")
    counts = [count for _, count in cells]
    if min(counts, default=1) < 1 or sum(counts) > seconds:
        raise ValueError(f"found counts {counts}, expected 1 to {seconds} together")
