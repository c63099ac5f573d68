"""MLServer's runtime in process: it refuses what it must, and a row's bits are its own."""

import asyncio
import json
import logging
import struct
from math import nan
from pathlib import Path
from typing import Any

import pytest
from mlserver.errors import InferenceError, ModelNotFound
from mlserver.grpc import dataplane_pb2 as pb
from mlserver.grpc.converters import ModelInferRequestConverter, ModelInferResponseConverter
from mlserver.registry import MultiModelRegistry
from mlserver.repository.load import load_model_settings
from mlserver.types import InferenceRequest

from featurizer.features import EXAMPLE, NAMES
from serving.artifact import ArtifactError, load_folder
from serving.linear import Linear
from serving.relative import Relative
from serving.runtime import SpikeModel
from serving.tensor import width_for
from serving.v2 import parameters_of

ZEROS = [0.0] * len(NAMES)


def model_of(folder: Path) -> SpikeModel:
    """The runtime of a folder, not loaded yet."""
    return SpikeModel(load_model_settings(str(folder / "model-settings.json")))


def request_of(rows: list[Any], **changes: Any) -> InferenceRequest:
    """A request as REST parses it."""
    tensor = {
        "name": "features",
        "datatype": "FP64",
        "shape": [len(rows), len(NAMES)],
        "data": rows,
    }
    body = {"inputs": [tensor | changes]}
    return InferenceRequest.model_validate_json(json.dumps(body))


@pytest.fixture
def model(folder: Path) -> SpikeModel:
    """A loaded runtime."""
    loaded = model_of(folder)
    assert asyncio.run(loaded.load())
    return loaded


def scores(model: SpikeModel, request: InferenceRequest) -> list[float]:
    """What the runtime answers."""
    return list(asyncio.run(model.predict(request)).outputs[0].data)


def test_scores_are_those_of_linear(model: SpikeModel, market: Any, linear: Linear) -> None:
    """Each row's score has the bits of Linear, whatever the batch."""
    expected = [linear.score(row) for row in market.rows]
    assert scores(model, request_of(market.rows)) == expected
    assert scores(model, request_of(market.rows[7:9])) == expected[7:9]


def test_null_is_unknown(model: SpikeModel, market: Any, linear: Linear) -> None:
    """A null of the JSON arrives as unknown and is imputed."""
    row = [None, *market.rows[0][1:]]
    assert scores(model, request_of([row])) == [linear.score(row)]


def test_answer_names_the_model(model: SpikeModel, folder: Path, market: Any) -> None:
    """Version, digests, dialect, τ and threshold travel with every answer."""
    info = load_folder(folder).info
    answer = asyncio.run(model.predict(request_of(market.rows[:1])))
    assert answer.model_version == info.version
    parameters = answer.parameters.model_dump(exclude_none=True)
    assert parameters == parameters_of(info)
    assert json.loads(parameters["tau"]) == {"BTC-USD": 0.0012, "ETH-USD": 0.0017}
    assert json.loads(parameters["threshold"]) == {"BTC-USD": 0.5, "ETH-USD": 0.4}


@pytest.mark.filterwarnings("ignore:The `construct` method:DeprecationWarning")  # MLServer's
@pytest.mark.parametrize("raw", [False, True], ids=["contents", "raw"])
def test_grpc_contents_and_raw(model: SpikeModel, market: Any, linear: Linear, raw: bool) -> None:
    """Both ways gRPC carries numbers give the same bits, NaN being unknown."""
    rows = market.rows[:3]
    values = [nan if x is None else x for row in rows for x in row]
    request = pb.ModelInferRequest(model_name="ml")
    tensor = request.inputs.add(name="features", datatype="FP64", shape=[3, len(NAMES)])
    if raw:
        request.raw_input_contents.append(struct.pack(f"<{len(values)}d", *values))
    else:
        tensor.contents.fp64_contents.extend(values)
    answer = asyncio.run(model.predict(ModelInferRequestConverter.to_types(request)))
    message = ModelInferResponseConverter.from_types(answer, use_raw=raw)
    found = (
        struct.unpack("<3d", message.raw_output_contents[0])
        if raw
        else tuple(message.outputs[0].contents.fp64_contents)
    )
    assert found == tuple(linear.score(row) for row in rows)
    assert message.parameters["dialect"].string_param == "advanced"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": [1, 11]}, r"ml: features has shape \[1, 11\]"),
        ({"datatype": "FP32"}, "ml: features has datatype FP32"),
        ({"name": "x"}, "ml: found an input 'x'"),
        ({"data": None}, "ml: features has 1 values"),
        ({"data": "zeros"}, "ml: features has 1 values"),
        ({"data": ["a", *ZEROS[1:]]}, "row 0, realized_volatility_60s: found 'a'"),
    ],
)
def test_bad_tensor_is_the_clients_error(
    model: SpikeModel, change: dict[str, Any], message: str
) -> None:
    """What cannot be scored is a 400 with the reason, never a 500."""
    with pytest.raises(InferenceError, match=message) as caught:
        scores(model, request_of([ZEROS], **change))
    assert caught.value.status_code == 400


@pytest.mark.parametrize("count", [0, 2])
def test_one_input_is_expected(model: SpikeModel, count: int) -> None:
    """No input or two are a client's error."""
    request = request_of([ZEROS])
    request.inputs = request.inputs * count
    with pytest.raises(InferenceError, match="found the inputs"):
        scores(model, request)


def test_unknown_output_is_refused(model: SpikeModel) -> None:
    """A request may ask for ``score`` and for nothing else."""
    request = request_of([ZEROS])
    request.outputs = InferenceRequest.model_validate(
        {"inputs": [], "outputs": [{"name": "predict"}]}
    ).outputs
    with pytest.raises(InferenceError, match=r"outputs \['predict'\], expected \['score'\]"):
        scores(model, request)


def test_changed_byte_is_refused_and_logged(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A folder with a changed byte is not loaded; the log says found and expected."""
    with (folder / "model.json").open("a") as file:
        file.write(" ")
    with caplog.at_level(logging.ERROR, "mlserver"), pytest.raises(ArtifactError):
        asyncio.run(model_of(folder).load())
    (record,) = caplog.records
    assert record.getMessage() == "model.refused"
    assert "model.json has SHA-256" in record.__dict__["reason"]


def test_digest_of_the_settings_decides(folder: Path) -> None:
    """The digest that MLServer was told must be the folder's."""
    settings = load_model_settings(str(folder / "model-settings.json"))
    settings.parameters.extra["digest"] = "0" * 64
    with pytest.raises(ArtifactError, match=f"expected {'0' * 64}"):
        asyncio.run(SpikeModel(settings).load())


def test_refused_model_is_not_in_the_registry(folder: Path) -> None:
    """After a refusal MLServer knows no such model: 404 by name, and its start ends."""

    async def load() -> None:
        registry = MultiModelRegistry()
        (folder / "card.json").write_text("{}")
        with pytest.raises(ArtifactError):
            await registry.load(load_model_settings(str(folder / "model-settings.json")))
        with pytest.raises(ModelNotFound):
            await registry.get_model("ml")

    asyncio.run(load())


def test_broken_reload_leaves_the_old_model_serving(
    folder: Path, market: Any, linear: Linear
) -> None:
    """A folder that breaks while it is served is refused; the model in memory goes on."""

    async def reload() -> list[float]:
        registry = MultiModelRegistry()
        settings = str(folder / "model-settings.json")
        await registry.load(load_model_settings(settings))
        (folder / "card.json").write_text("{}")
        with pytest.raises(ArtifactError):
            await registry.load(load_model_settings(settings))
        model = await registry.get_model("ml")
        assert model.ready
        return list((await model.predict(request_of(market.rows[:1]))).outputs[0].data)

    assert asyncio.run(reload()) == [linear.score(market.rows[0])]


def test_units_of_the_level_have_two_outputs(relative_folder: Path, relative: Relative) -> None:
    """Rows with and without τ, of the width of before too; the answer says what it stood for."""
    loaded = model_of(relative_folder)
    assert asyncio.run(loaded.load())
    row = [EXAMPLE[name] for name in NAMES]
    width = width_for(len(NAMES), tau=True)
    wide = request_of([[*row, 0.0009], [*row, None]], shape=[2, width])
    answer = asyncio.run(loaded.predict(wide))
    said = [relative.chances(row, tau) for tau in (0.0009, 0.0006)]
    outputs = {output.name: list(output.data) for output in answer.outputs}
    assert outputs["score"] == [each.score for each in said]
    assert outputs["severe"] == [each.severe for each in said]
    parameters = answer.parameters.model_dump(exclude_none=True)
    assert json.loads(parameters["default_tau"]) == 0.0006
    assert json.loads(parameters["thresholds"])["spike"]["4"] == 0.25
    narrow = request_of([row[:12]], shape=[1, 12])
    unknown = [*row[:12], *[None] * (len(NAMES) - 12)]
    assert scores(loaded, narrow) == [relative.chances(unknown, 0.0006).score]


def test_one_of_two_outputs_may_be_asked_for(relative_folder: Path) -> None:
    """As V2 allows; a name that is none is refused."""
    loaded = model_of(relative_folder)
    asyncio.run(loaded.load())
    for name in ("severe", "score"):
        wanted = request_of([ZEROS]).model_dump() | {"outputs": [{"name": name}]}
        answer = asyncio.run(loaded.predict(InferenceRequest.model_validate(wanted)))
        assert [output.name for output in answer.outputs] == [name]


def test_scikit_learn_is_no_part_of_the_runtime() -> None:
    """It takes a second and 70 MB to load, and models in plain numbers need none of it."""
    known = {base.__module__.partition(".")[0] for base in SpikeModel.__mro__}
    assert known == {"serving", "mlserver", "builtins"}
