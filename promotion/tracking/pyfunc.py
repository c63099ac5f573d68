"""The model as MLflow loads it: one of our folders, verified, then scored row by row.

MLflow runs this file (models from code), so that nothing of a model is pickled by MLflow, and
what lies in its registry are the very bytes that a promotion puts in place.
"""

from pathlib import Path
from typing import Any

import pandas
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from featurizer.features import NAMES
from serving.artifact import load_folder
from serving.predictor import RowPredictor, open_predictor, outputs_of
from serving.tensor import TAU


class ModelFolder(PythonModel):  # type: ignore[misc]  # MLflow ships no types
    """A frame with the features, in any order of columns, becomes a frame of chances in [0, 1].

    ``score``, and of a model in units of τ ``severe``; that one reads a column ``tau`` too.
    """

    _predictor: RowPredictor

    def load_context(self, context: Any) -> None:
        """Open the folder, or refuse it as serving does."""
        self._predictor = open_predictor(load_folder(Path(context.artifacts["folder"])))

    def predict(
        self,
        context: Any,
        model_input: pandas.DataFrame,  # any other type is checked by MLflow as a list
        params: dict[str, Any] | None = None,
    ) -> pandas.DataFrame:
        """Score each row by itself; NaN means unknown, as what a frame of before does not name."""
        rows = model_input.reindex(columns=[*NAMES, TAU]).to_numpy(dtype="float64").tolist()
        return pandas.DataFrame(outputs_of(self._predictor, rows))


set_model(ModelFolder())
