"""Which variant serves and which is a shadow; FeatureRows and scores become Predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from featurizer.features import NAMES, REQUIRED
from featurizer.row import FeatureRow
from ingestor.plausibility import LATEST_US
from scorer.prediction import LATE_US, Flag, Note, Prediction, Shadow, prediction_id
from serving.artifact import ModelInfo
from serving.control import VARIANTS, Variant
from serving.v2 import Scored

RETURNS: Final = 60
"""In a whole minute; of fewer a volatility is made up to one."""


class UnknownFeatures(ValueError):
    """A row lacks features that every row has: its writer has other definitions."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A row as it came: with the wall clock when its Tick was received and it was made."""

    row: FeatureRow
    received_us: int
    featurized_us: int


def values_of(row: FeatureRow) -> tuple[float | None, ...]:
    """Return a row's values in the order of ``NAMES``; what it does not name yet is unknown.

    Raises:
        UnknownFeatures: one of ``REQUIRED`` is missing; strange names are listed as well.
    """
    found = row.features
    missing = [name for name in REQUIRED if name not in found]
    if missing:
        strange = [name for name in found if name not in NAMES]
        raise UnknownFeatures(f"features: missing {missing}, unknown {strange}")
    return tuple(found.get(name) for name in NAMES)


def shadows_of(served: Variant, wanted: Sequence[Variant] | None) -> tuple[Variant, ...]:
    """Return the shadows beside the variant that serves, by default all others.

    >>> shadows_of("baseline", None)
    ('ml',)
    """
    named = VARIANTS if wanted is None else wanted
    return tuple(variant for variant in VARIANTS if variant in named and variant != served)


def predictions_of(
    rows: Sequence[Arrived],
    served: Scored,
    shadows: Sequence[Scored],
    scored_us: int,
) -> list[Prediction]:
    """Join rows with their scores; ``scored_us`` is the wall clock, epoch microseconds."""
    return [
        _prediction(arrived, score, served.info, _shadows(arrived.row, shadows, index), scored_us)
        for index, (arrived, score) in enumerate(zip(rows, served.scores, strict=True))
    ]


def _prediction(
    arrived: Arrived, score: float, info: ModelInfo, shadows: list[Shadow], scored_us: int
) -> Prediction:
    row = arrived.row
    threshold, tau = _trained(info, row.product_id)
    return Prediction(
        prediction_id=prediction_id(row.row_id, info.digest),
        row_id=row.row_id,
        feed=row.feed,
        product_id=row.product_id,
        time_us=row.time_us,
        trade_id=row.trade_id,
        dialect=row.dialect,
        mid=row.mid,
        coverage=row.coverage,
        realized_volatility_60s=row.features["realized_volatility_60s"],
        score=score,
        spike=_spike(score, threshold),
        threshold=threshold,
        tau=tau,
        model_variant=info.variant,
        version=info.version,
        digest=info.digest,
        features_digest=info.features_digest,
        shadows=shadows,
        flags=_flags(row, info, tau),
        received_us=arrived.received_us,
        featurized_us=arrived.featurized_us,
        scored_us=scored_us,
        tau_status=row.tau_status,
        after_break=row.after_break,
        notes=notes_of(row, info, scored_us - arrived.received_us),
    )


def notes_of(row: FeatureRow, info: ModelInfo, age_us: int) -> list[Note]:
    """Return what to think of beside a score that is made ``age_us`` after the row's receipt."""
    said: dict[Note, bool] = {
        "seeded": row.tau_status == "seeded",
        "provisional": row.tau_status == "provisional",
        "partial": row.returns is not None and row.returns < RETURNS,
        "beat": row.beat,
        "foreign_dialect": row.dialect != info.dialect,
        "late": age_us > LATE_US,
    }
    return [note for note, holds in said.items() if holds]


def _trained(info: ModelInfo, product_id: str) -> tuple[float | None, float | None]:
    """Return threshold and τ, both or none: a spike without either would mean nothing."""
    threshold, tau = info.threshold.get(product_id), info.tau.get(product_id)
    return (threshold, tau) if threshold is not None and tau is not None else (None, None)


def _spike(score: float, threshold: float | None) -> bool | None:
    return None if threshold is None else score >= threshold


def _flags(row: FeatureRow, info: ModelInfo, tau: float | None) -> list[Flag]:
    flags: list[Flag] = []
    if tau is None:
        flags.append("untrained_product")
    if row.dialect != info.dialect:
        flags.append("foreign_dialect")
    return flags


def _shadows(row: FeatureRow, shadows: Sequence[Scored], index: int) -> list[Shadow]:
    found = []
    for shadow in shadows:
        info, score = shadow.info, shadow.scores[index]
        threshold, _ = _trained(info, row.product_id)
        found.append(
            Shadow(
                model_variant=info.variant,
                version=info.version,
                digest=info.digest,
                score=score,
                threshold=threshold,
                spike=_spike(score, threshold),
            )
        )
    return found


def stage_times(headers: Mapping[str, str], appended_ms: int) -> tuple[int, int]:
    """Return ``received_us`` and ``featurized_us`` of a record's headers.

    Where they are absent or no times, the time when the broker took the record stands in.

    >>> stage_times({"received_us": "5", "featurized_us": "7"}, 1)
    (5, 7)
    """
    found = [_time(headers.get(name, "")) for name in ("received_us", "featurized_us")]
    received, featurized = (appended_ms * 1_000 if time is None else time for time in found)
    return received, featurized


def _time(text: str) -> int | None:
    """Read epoch microseconds; a time of tens of digits is none."""
    time_us = int(text) if text.isdecimal() and len(text) <= len(str(LATEST_US)) else None
    return None if time_us is None or time_us > LATEST_US else time_us
