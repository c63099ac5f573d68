"""Prediction: what the topic ``predictions`` holds, and its JSON."""

import hashlib
from typing import Final, Literal

import msgspec

from featurizer.level.level import Status
from ingestor.plausibility import check_number, check_product, check_time
from ingestor.tick import Dialect
from plumbing.messages import read_message

SCHEMA_VERSION: Final = 1

Flag = Literal["untrained_product", "foreign_dialect"]
Note = Literal["seeded", "provisional", "partial", "beat", "foreign_dialect", "late"]
Reason = Literal["no_level", "thin", "warming"]
Thresholds = dict[str, dict[str, float | None]]
"""θ by level, then by budget (starts a day, ``"4"``), null where a budget is refused."""
LATE_US: Final = 5_000_000
"""From receipt to score: later, the next 60 s have begun without it."""


class Shadow(msgspec.Struct, frozen=True, kw_only=True):
    """What a variant that does not serve says, kept for comparison; as in a ``Prediction``.

    One that says nothing of a row is left out, so that release 0.1.0 can read the rest.
    """

    model_variant: str
    version: str
    digest: str
    score: float
    threshold: float | None
    spike: bool | None
    severe: float | None = None
    thresholds: Thresholds | None = None


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """One scored FeatureRow.

    ``score`` is the probability that volatility over the next 60 s reaches ``tau`` (log return),
    ``severe`` that it reaches twice ``tau``. Under a model in units of τ, ``tau`` is the row's,
    ``thresholds`` are the model's for the two levels of states, ``spike`` says severe ≥
    ``threshold``, that of 4 spikes a day, and where nothing can be said, ``score``, ``severe`` and
    ``spike`` are null with a ``reason``: ``no_level`` or ``thin`` where the product has no τ,
    ``warming`` with fewer than 20 returns in the last minute. Under a model of before, ``tau`` and
    ``threshold`` are its own for the product, ``spike`` says score ≥ threshold, and ``severe`` and
    ``thresholds`` are null.
    ``realized_volatility_60s`` is the row's own, for the rule that predicts a spike
    where it already reaches τ. Times in epoch microseconds: ``time_us`` the exchange's,
    ``received_us``, ``featurized_us`` and ``scored_us`` the wall clock at each stage.
    ``tau_status`` and ``after_break`` are the row's. ``notes`` say what to think of beside a
    score: how the level is founded, where that is not for long, that returns of the last minute
    are missing (``partial``), a ``beat``'s row, or ``late``, scored over 5 s after receipt: no
    forecast any more, so it raises no alarm and is not in live quality.
    """

    prediction_id: str
    row_id: str
    feed: str
    product_id: str
    time_us: int
    trade_id: int
    dialect: Dialect
    mid: float
    coverage: float
    realized_volatility_60s: float | None
    score: float | None
    spike: bool | None
    threshold: float | None
    tau: float | None
    model_variant: str
    version: str
    digest: str
    features_digest: str
    shadows: list[Shadow]
    flags: list[Flag]
    received_us: int
    featurized_us: int
    scored_us: int
    tau_status: Status | None = None
    after_break: bool = False
    notes: list[Note] = []
    severe: float | None = None
    reason: Reason | None = None
    thresholds: Thresholds | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def late(self) -> bool:
        """Say whether it came too late to be a forecast."""
        return "late" in self.notes


def prediction_id(row_id: str, digest: str) -> str:
    """Make the id from content: the same row scored by the same model has the same id."""
    return hashlib.sha256(f"{row_id}\n{digest}".encode()).hexdigest()[:32]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Prediction)


def encode(prediction: Prediction) -> bytes:
    """Return the JSON of a prediction, as it stands in ``predictions``."""
    return _encoder.encode(prediction)


def decode(data: bytes) -> Prediction:
    """Read one of ``predictions``; raises ``msgspec.DecodeError`` naming the bad field."""
    return read_message(_decoder, data, SCHEMA_VERSION, _check)


def _check(prediction: Prediction) -> None:
    check_product(prediction.product_id)
    check_number("trade_id", prediction.trade_id)
    check_time("time_us", prediction.time_us)
    check_time("received_us", prediction.received_us)
    check_time("featurized_us", prediction.featurized_us)
    check_time("scored_us", prediction.scored_us)
