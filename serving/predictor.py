"""One row in, one score out: what serves a verified folder, whatever its kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any, Final, Protocol

from serving.artifact import Artifact
from serving.card import Installed, installed_version
from serving.errors import ArtifactError
from serving.linear import positions_of

TOLERANCE: Final = 1e-12
"""Between our loop and scikit-learn's dot product; rounding alone stays below 1e-15."""


class RowPredictor(Protocol):
    """Scores one row in the order of ``NAMES``: never a batch, so no neighbour changes a bit."""

    def score(self, row: Sequence[float | None]) -> float:
        """Return the probability of a spike; None and NaN mean unknown."""
        ...


@dataclass(frozen=True, slots=True)
class PipelinePredictor:
    """A scikit-learn Pipeline fed with the row's values at ``positions``."""

    pipeline: Any
    positions: tuple[int, ...]

    def score(self, row: Sequence[float | None]) -> float:
        """Return ``predict_proba`` of the positive class for this row alone."""
        import numpy as np

        values = [row[position] for position in self.positions]
        matrix = np.array([[nan if x is None else x for x in values]], dtype=np.float64)
        return float(self.pipeline.predict_proba(matrix)[0, 1])


def open_predictor(artifact: Artifact, installed: Installed = installed_version) -> RowPredictor:
    """Return what serves this artifact, after its golden rows had their scores again.

    A linear model with a Pipeline is served by its numbers, once both agree; without a
    Pipeline nothing is unpickled.

    Raises:
        ArtifactError: libraries differ, or a golden row scores otherwise.
    """
    predictors: list[RowPredictor] = [] if artifact.linear is None else [artifact.linear]
    if artifact.pickled is not None or artifact.linear is None:
        pipeline = artifact.unpickle(installed)
        predictors.append(PipelinePredictor(pipeline, positions_of(artifact.features)))
    for predictor in predictors:
        _check_golden(artifact, predictor)
    return predictors[0]


def _check_golden(artifact: Artifact, predictor: RowPredictor) -> None:
    golden = artifact.card.golden
    for number, (row, expected) in enumerate(zip(golden.rows, golden.scores, strict=True)):
        found = predictor.score(row)
        if isnan(found) or abs(found - expected) > TOLERANCE:
            raise ArtifactError(
                f"{artifact.info.variant}: {type(predictor).__name__} scores golden row {number}"
                f" {found!r}, expected {expected!r} within {TOLERANCE}"
            )
