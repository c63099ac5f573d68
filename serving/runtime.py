"""MLServer's runtime for our model folders: verifies, then scores row by row."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlserver import MLModel
from mlserver.errors import InferenceError
from mlserver.logging import logger
from mlserver.types import InferenceRequest, InferenceResponse, Parameters, ResponseOutput
from mlserver.utils import get_model_uri

from serving.artifact import Artifact, load_folder
from serving.errors import ArtifactError, TensorError
from serving.predictor import RowPredictor, open_predictor, outputs_of
from serving.tensor import DATATYPE, INPUT, Row, rows_of
from serving.v2 import parameters_of


class SpikeModel(MLModel):  # type: ignore[misc]  # MLServer ships no types
    """Serves ``ml`` and ``baseline``: ``features``, FP64 [n, width], in, ``score``, FP64 [n], out.

    A model in units of τ gives ``severe`` as well, of the same form.

    A row's score is made from this row alone, so its bits don't depend on the batch.
    scikit-learn is loaded for a folder that has a Pipeline, and for no other.
    """

    _predictor: RowPredictor
    _parameters: dict[str, str]

    async def load(self) -> bool:
        """Open the folder of the settings, or refuse it: a model that is refused never serves.

        Raises:
            ArtifactError: says what was found and what was expected. MLServer logs it, drops
                the model, and when this happens at its start, ends.
        """
        try:
            artifact = await self._artifact()
            self._predictor = open_predictor(artifact)
        except ArtifactError as exc:
            logger.error("model.refused", extra={"reason": str(exc)})
            raise
        info = artifact.info
        self._parameters = parameters_of(info)
        logger.info("model.verified", extra={"digest": info.digest, "dialect": info.dialect})
        return True

    async def _artifact(self) -> Artifact:
        extra = self.settings.parameters.extra or {}
        folder = Path(await get_model_uri(self.settings))
        return load_folder(folder, digest=extra.get("digest"))

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Score each row; the parameters of the answer say which model did."""
        try:
            rows = _rows(payload)
            outputs = self._wanted(payload, outputs_of(self._predictor, rows))
        except (TensorError, ValueError) as exc:
            raise InferenceError(f"{self.name}: {exc}") from exc
        return InferenceResponse(
            model_name=self.name,
            model_version=self.version,
            parameters=Parameters(**self._parameters),
            outputs=[
                ResponseOutput(name=name, datatype=DATATYPE, shape=[len(rows)], data=values)
                for name, values in outputs.items()
            ],
        )

    @staticmethod
    def _wanted(
        payload: InferenceRequest, outputs: dict[str, list[float]]
    ) -> dict[str, list[float]]:
        wanted = [output.name for output in payload.outputs or ()] or list(outputs)
        if not set(wanted) <= set(outputs) or len(set(wanted)) != len(wanted):
            raise TensorError(f"found the wanted outputs {wanted}, expected {list(outputs)}")
        return {name: outputs[name] for name in wanted}


def _rows(payload: InferenceRequest) -> Sequence[Row]:
    if len(payload.inputs) != 1:
        names = [tensor.name for tensor in payload.inputs]
        raise TensorError(f"found the inputs {names}, expected {[INPUT]}")
    tensor = payload.inputs[0]
    return rows_of(tensor.name, _datatype(tensor.datatype), tensor.shape, _values(tensor.data))


def _datatype(found: Any) -> str:
    """REST brings an enumeration, gRPC a bare string."""
    return str(getattr(found, "value", found))


def _values(data: Any) -> list[Any]:
    values = getattr(data, "root", data)
    return values if isinstance(values, list) else [values]
