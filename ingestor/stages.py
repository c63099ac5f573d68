"""The stages between the socket and a prediction, and how long each may take."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: the label ``stage`` of ``<service>_stage_duration_seconds``.

    ``budget_seconds`` is what 95 of 100 must stay below; it is a bucket of that histogram.
    """

    name: str
    service: str
    budget_seconds: float


RECEIVED_TO_PUBLISHED: Final = Stage("received_to_published", "ingestor", 0.02)
PUBLISHED_TO_FEATURIZED: Final = Stage("published_to_featurized", "featurizer", 0.02)
FEATURIZED_TO_SCORED: Final = Stage("featurized_to_scored", "scorer", 0.04)
SCORED_TO_PUBLISHED: Final = Stage("scored_to_published", "scorer", 0.02)
TICK_TO_PREDICTION: Final = Stage("tick_to_prediction", "scorer", 0.1)

STAGES: Final = (
    RECEIVED_TO_PUBLISHED,
    PUBLISHED_TO_FEATURIZED,
    FEATURIZED_TO_SCORED,
    SCORED_TO_PUBLISHED,
    TICK_TO_PREDICTION,
)
"""In the order of the flow; the last is all of it, and the budgets before add up to its own."""


def seconds_between(start_us: int, end_us: int) -> float:
    """Return the seconds from one wall clock time to another; 0 where clocks differ that much."""
    return max(0, end_us - start_us) / 1e6
