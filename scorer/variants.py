"""Which variant serves and which is a shadow; FeatureRows and scores become Predictions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from featurizer.features import NAMES, REQUIRED
from featurizer.row import FeatureRow
from ingestor.plausibility import LATEST_US
from scorer.prediction import (
    LATE_US,
    Flag,
    Note,
    Prediction,
    Reason,
    Shadow,
    Thresholds,
    prediction_id,
)
from serving.artifact import ModelInfo
from serving.control import VARIANTS, Variant
from serving.v2 import Scored

RETURNS: Final = 60
"""In a whole minute; of fewer a volatility is made up to one."""
LEAST_RETURNS: Final = 20
"""Of fewer in the last minute no volatility is known, so that nothing is said of the next."""
SPIKES_A_DAY: Final = "4"
"""The budget whose threshold ``spike`` and ``threshold`` of a prediction stand for."""


class UnknownFeatures(ValueError):
    """A row lacks features that every row has: its writer has other definitions."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A row as it came: with the wall clock when its Tick was received and it was made."""

    row: FeatureRow
    received_us: int
    featurized_us: int


def values_of(row: FeatureRow) -> tuple[float | None, ...]:
    """Return a row's values in the order of ``NAMES``, then its τ; what it lacks is unknown.

    Raises:
        UnknownFeatures: one of ``REQUIRED`` is missing; strange names are listed as well.
    """
    found = row.features
    missing = [name for name in REQUIRED if name not in found]
    if missing:
        strange = [name for name in found if name not in NAMES]
        raise UnknownFeatures(f"features: missing {missing}, unknown {strange}")
    return (*(found.get(name) for name in NAMES), row.tau)


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
        _prediction(arrived, served, [*shadows], index, scored_us)
        for index, arrived in enumerate(rows)
    ]


@dataclass(frozen=True, slots=True)
class _Said:
    """What one variant says of one row, as far as it may be said."""

    score: float | None
    severe: float | None
    spike: bool | None
    threshold: float | None
    tau: float | None
    thresholds: Thresholds | None = None


def _prediction(
    arrived: Arrived, served: Scored, shadows: Sequence[Scored], index: int, scored_us: int
) -> Prediction:
    row, info = arrived.row, served.info
    said = _said(row, served, index)
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
        score=said.score,
        spike=said.spike,
        threshold=said.threshold,
        tau=said.tau,
        model_variant=info.variant,
        version=info.version,
        digest=info.digest,
        features_digest=info.features_digest,
        shadows=[*_shadows(row, shadows, index)],
        flags=_flags(row, info, said.tau),
        received_us=arrived.received_us,
        featurized_us=arrived.featurized_us,
        scored_us=scored_us,
        tau_status=row.tau_status,
        after_break=row.after_break,
        notes=notes_of(row, info, scored_us - arrived.received_us),
        severe=said.severe,
        reason=reason_of(row) if info.relative else None,
        thresholds=said.thresholds,
    )


def _said(row: FeatureRow, scored: Scored, index: int) -> _Said:
    info, score = scored.info, scored.scores[index]
    if not info.relative:
        threshold, tau = trained(info, row.product_id)
        return _Said(score, None, reached(score, threshold), threshold, tau)
    unsaid = reason_of(row) is not None
    severe = None if unsaid or scored.severe is None else scored.severe[index]
    threshold = spike_threshold(info)
    return _Said(
        score=None if unsaid else score,
        severe=severe,
        spike=reached(severe, threshold),
        threshold=threshold,
        tau=row.tau,
        thresholds={level: dict(table) for level, table in info.thresholds.items()},
    )


def _shadows(row: FeatureRow, shadows: Sequence[Scored], index: int) -> Iterator[Shadow]:
    for scored in shadows:
        info, said = scored.info, _said(row, scored, index)
        if said.score is not None:
            yield Shadow(
                model_variant=info.variant,
                version=info.version,
                digest=info.digest,
                score=said.score,
                threshold=said.threshold,
                spike=said.spike,
                severe=said.severe,
                thresholds=said.thresholds,
            )


def reason_of(row: FeatureRow) -> Reason | None:
    """Return why a model in units of τ says nothing of a row, None where it does."""
    if row.tau is None:
        return "thin" if row.tau_status == "thin" else "no_level"
    return "warming" if row.returns is None or row.returns < LEAST_RETURNS else None


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


def trained(info: ModelInfo, product_id: str) -> tuple[float | None, float | None]:
    """Return threshold and τ of a model of before, both or none.

    A spike without either would mean nothing.
    """
    threshold, tau = info.threshold.get(product_id), info.tau.get(product_id)
    return (threshold, tau) if threshold is not None and tau is not None else (None, None)


def spike_threshold(info: ModelInfo) -> float | None:
    """Return θ of 4 spikes a day, None where the budget is refused."""
    return info.thresholds["spike"][SPIKES_A_DAY]


def reached(chance: float | None, threshold: float | None) -> bool | None:
    """Say whether a chance is at a threshold, None where either is not known."""
    return None if chance is None or threshold is None else chance >= threshold


def _flags(row: FeatureRow, info: ModelInfo, tau: float | None) -> list[Flag]:
    flags: list[Flag] = []
    if tau is None and not info.relative:
        flags.append("untrained_product")
    if row.dialect != info.dialect:
        flags.append("foreign_dialect")
    return flags


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
