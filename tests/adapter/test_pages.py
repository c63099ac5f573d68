"""What the pages show a client is sent as it stands, and answered as they say."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from featurizer.features import NAMES, REQUIRED
from serving.artifact import load_folder
from serving.predictor import plain_predictor
from serving.tensor import TAU, WITHOUT_TAU

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
SHOWN = ("README.md", "http.md")
"""Pages that show a request at least."""
MODELS = {v: load_folder(ROOT / "model-settings" / v) for v in ("ml", "baseline")}


def blocks(page: Path) -> list[str]:
    """The JSON of a page in its order: whole blocks, and what curl sends."""
    found = re.findall(r"```json\n(.*?)```|-d '(\{.*?\})'", page.read_text(), re.DOTALL)
    return [block or sent for block, sent in found]


def documents(page: Path, *fields: str) -> Iterator[dict[str, Any]]:
    """Those that are an object with one of these fields."""
    for block in blocks(page):
        if any(block.startswith(f'{{"{field}"') for field in fields):
            yield json.loads(block)


def exchanges() -> list[Any]:
    """Each request to ``/predict`` on a page, with the answer that stands below it, if any."""
    found = []
    for page in PAGES:
        shown = [*documents(page, "rows", "scores"), {}]
        for request, answer in pairwise(shown):
            if "rows" in request:
                expected = answer if "scores" in answer else None
                found.append(pytest.param(request, expected, id=page.name))
    return found


def inferences() -> list[Any]:
    """Each V2 request on a page."""
    return [pytest.param(r, id=p.name) for p in PAGES for r in documents(p, "inputs")]


@pytest.fixture
def front(adapter: Any, v2: Any) -> Any:
    """The adapter before the models of ``model-settings/``."""
    info = MODELS["ml"].info
    v2.models = {variant: plain_predictor(artifact) for variant, artifact in MODELS.items()}
    v2.parameters = {"version": info.version, "digest": info.digest}
    v2.parameters["features_digest"] = info.features_digest
    return adapter()


@pytest.mark.parametrize(("request_", "expected"), exchanges())
def test_a_request_of_a_page_is_answered_as_it_says(
    front: Any, request_: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    """It is a 200, and where the page shows the answer, it is that one but for its time."""
    answer = front.client.post("/predict", json=request_)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert len(found["scores"]) == len(request_["rows"])
    if expected is not None:
        assert found | {"ts": ""} == expected | {"ts": ""}, f"the page is to show {answer.text}"


@pytest.mark.parametrize("request_", inferences())
def test_a_tensor_of_a_page_is_scored(front: Any, request_: dict[str, Any]) -> None:
    """V2 passes it on, and it is scored as the rows that it holds."""
    answer = front.client.post("/v2/models/ml/infer", json=request_)
    assert answer.status_code == 200, answer.text
    [tensor] = request_["inputs"]
    width = tensor["shape"][1]
    names = NAMES[:width] if width <= WITHOUT_TAU else (*NAMES[: width - 1], TAU)
    rows = [dict(zip(names, row, strict=True)) for row in tensor["data"]]
    assert answer.json()["outputs"][0]["data"] == front.predict(*rows).json()["scores"]


@pytest.mark.parametrize("page", SHOWN)
def test_a_page_for_clients_shows_what_every_client_may_send(page: str) -> None:
    """Its rows have the names of the first release, which go on being enough."""
    path = next(path for path in PAGES if path.name == page)
    rows = [row for request in documents(path, "rows") for row in request["rows"]]
    assert rows
    assert [tuple(row) for row in rows] == [REQUIRED] * len(rows)
    if page == "http.md":
        assert list(documents(path, "scores")) and list(documents(path, "inputs"))
