"""One row in, one score out: what serves a verified folder, whatever its kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any, Final, Protocol

from featurizer.features import NAMES
from serving.artifact import Artifact
from serving.card import Installed, installed_version
from serving.errors import ArtifactError
from serving.linear import positions_of
from serving.relative import Chances, Relative
from serving.tensor import OUTPUT, SEVERE, Row, tau_of

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


@dataclass(frozen=True, slots=True)
class RelativePredictor:
    """A model in units of τ; a row without τ has ``default_tau`` (log return over 60 s)."""

    model: Relative
    default_tau: float

    def chances(self, row: Sequence[float | None]) -> Chances:
        """Return both chances of one row, its τ after the values of ``NAMES`` if it has one."""
        tau = tau_of(row)
        return self.model.chances(row, self.default_tau if tau is None else tau)

    def score(self, row: Sequence[float | None]) -> float:
        """Return the probability that τ is reached."""
        return self.chances(row).score


def outputs_of(predictor: RowPredictor, rows: Sequence[Row]) -> dict[str, list[float]]:
    """Return what a model says of rows, by the name of the output: a number a row."""
    if isinstance(predictor, RelativePredictor):
        found = [predictor.chances(row) for row in rows]
        return {OUTPUT: [each.score for each in found], SEVERE: [each.severe for each in found]}
    return {OUTPUT: [predictor.score(row[: len(NAMES)]) for row in rows]}


def plain_predictor(artifact: Artifact) -> RowPredictor | None:
    """Return the model in plain numbers, None where the folder has a Pipeline alone."""
    if artifact.relative is not None and artifact.info.default_tau is not None:
        return RelativePredictor(artifact.relative, artifact.info.default_tau)
    return artifact.linear


def open_predictor(artifact: Artifact, installed: Installed = installed_version) -> RowPredictor:
    """Return what serves this artifact, after its golden rows had their scores again.

    A linear model with a Pipeline is served by its numbers, once both agree; without a
    Pipeline nothing is unpickled.

    Raises:
        ArtifactError: libraries differ, or a golden row scores otherwise.
    """
    plain = plain_predictor(artifact)
    predictors = [] if plain is None else [plain]
    if plain is None or (artifact.pickled is not None and artifact.relative is None):
        pipeline = artifact.unpickle(installed)
        predictors.append(PipelinePredictor(pipeline, positions_of(artifact.features)))
    for predictor in predictors:
        _check_golden(artifact, predictor)
    return predictors[0]


def _check_golden(artifact: Artifact, predictor: RowPredictor) -> None:
    golden = artifact.card.golden
    said = {OUTPUT: golden.scores, SEVERE: golden.severe}
    for name, values in outputs_of(predictor, golden.inputs).items():
        for number, (found, expected) in enumerate(zip(values, said[name], strict=True)):
            if isnan(found) or abs(found - expected) > TOLERANCE:
                raise ArtifactError(
                    f"{artifact.info.variant}: {type(predictor).__name__} scores golden row"
                    f" {number} {found!r}, expected {expected!r} within {TOLERANCE} ({name})"
                )
