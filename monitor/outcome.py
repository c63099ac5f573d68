"""Outcome: what the topic ``outcomes`` holds, and its JSON."""

from typing import Final, Literal

import msgspec

from ingestor.plausibility import check_product, check_time
from plumbing.messages import read_message

SCHEMA_VERSION: Final = 1

Unlabelled = Literal["break", "coverage", "no_tau", "unfinished"]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a prediction once the next 60 s of event time had passed.

    ``label`` is true where ``realized_volatility`` (log return over the 60 s after the
    row) reached ``tau``; null with a ``reason`` where there can be none.
    ``matured_us`` is the event time that completed the horizon.
    ``score`` is null where the prediction said nothing.
    ``last_of_second`` marks the one row per product and second that metrics count.
    """

    prediction_id: str
    row_id: str
    feed: str
    product_id: str
    time_us: int
    label: bool | None
    realized_volatility: float | None
    matured_us: int
    reason: Unlabelled | None
    tau: float | None
    coverage: float
    last_of_second: bool
    model_variant: str
    score: float | None
    spike: bool | None
    schema_version: int = SCHEMA_VERSION


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Outcome)


def encode(outcome: Outcome) -> bytes:
    """Return the JSON of an outcome, as it stands in ``outcomes``."""
    return _encoder.encode(outcome)


def decode(data: bytes) -> Outcome:
    """Read one of ``outcomes``; raises ``msgspec.DecodeError`` naming the bad field."""
    return read_message(_decoder, data, SCHEMA_VERSION, _check)


def _check(outcome: Outcome) -> None:
    check_product(outcome.product_id)
    check_time("time_us", outcome.time_us)
    check_time("matured_us", outcome.matured_us)
