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


class RowScorer(Protocol):
    """Scores one row in the order of ``NAMES``: never a batch, so no neighbour changes a bit."""

    def score(self, row: Sequence[float | None]) -> float:
        """Give the probability of a spike; None and NaN mean unknown."""
        ...


@dataclass(frozen=True, slots=True)
class PipelineScorer:
    """A scikit-learn Pipeline fed with the row's values at ``positions``."""

    pipeline: Any
    positions: tuple[int, ...]

    def score(self, row: Sequence[float | None]) -> float:
        """Give ``predict_proba`` of the positive class for this row alone."""
        import numpy as np

        values = [row[position] for position in self.positions]
        matrix = np.array([[nan if x is None else x for x in values]], dtype=np.float64)
        return float(self.pipeline.predict_proba(matrix)[0, 1])


def open_scorer(artifact: Artifact, installed: Installed = installed_version) -> RowScorer:
    """Give what serves this artifact, after its golden rows had their scores again.

    A linear model with a Pipeline is served by its numbers, once both agree; without a
    Pipeline nothing is unpickled.

    Raises:
        ArtifactError: libraries differ, or a golden row scores otherwise.
    """
    scorers: list[RowScorer] = [] if artifact.linear is None else [artifact.linear]
    if artifact.pickled is not None or artifact.linear is None:
        pipeline = artifact.unpickle(installed)
        scorers.append(PipelineScorer(pipeline, positions_of(artifact.features)))
    for scorer in scorers:
        _check_golden(artifact, scorer)
    return scorers[0]


def _check_golden(artifact: Artifact, scorer: RowScorer) -> None:
    golden = artifact.card.golden
    for number, (row, expected) in enumerate(zip(golden.rows, golden.scores, strict=True)):
        found = scorer.score(row)
        if isnan(found) or abs(found - expected) > TOLERANCE:
            raise ArtifactError(
                f"{artifact.info.variant}: {type(scorer).__name__} scores golden row {number}"
                f" {found!r}, expected {expected!r} within {TOLERANCE}"
            )
