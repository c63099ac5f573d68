"""Deployment: what is promoted reaches the running model server, or the old models stay.

The server loads the new model before it drops the old one, so no request fails meanwhile.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from featurizer.features import NAMES
from promotion.errors import PromotionError
from promotion.log import Promotion
from promotion.model_pair import VARIANTS, Folders, folders_in
from promotion.model_store import recall
from promotion.promoter import Promoter
from serving.artifact import MODEL, Artifact, ArtifactError, load_folder
from serving.predictor import TOLERANCE

LOAD_SECONDS: Final = 120.0
"""Unpickling a large model may take its time; the old one answers meanwhile."""


class DeployError(PromotionError):
    """The server did not take a model; the message says what was found and what was expected."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server scored, and the digest of the model that did."""

    digest: str
    scores: Sequence[float]


class Server(Protocol):
    """What is needed of a V2 model server."""

    def load(self, variant: str) -> None: ...

    def score(self, variant: str, rows: Sequence[Sequence[float | None]]) -> Answer: ...


class V2Server:
    """A V2 model server at ``url``, with its repository extension."""

    def __init__(self, url: str, *, timeout: float = LOAD_SECONDS) -> None:
        self._url, self._timeout = url.rstrip("/"), timeout

    def load(self, variant: str) -> None:
        """Have the server read the model's folder again; raises ``DeployError`` if it refuses."""
        self._post(f"/v2/repository/models/{variant}/load", {})

    def score(self, variant: str, rows: Sequence[Sequence[float | None]]) -> Answer:
        """Score rows in the order of ``NAMES``; raises ``DeployError`` without a usable answer."""
        return answer_of(variant, self._post(infer_path(variant), question(rows)))

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        request = urllib.request.Request(
            self._url + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as exc:
            said = exc.read()[:500].decode(errors="replace")
            raise DeployError(f"{path}: found status {exc.code}, expected 200: {said}") from exc
        except (OSError, ValueError) as exc:
            raise DeployError(f"{self._url}{path}: {exc}") from exc


def infer_path(variant: str) -> str:
    """Return the path of V2 inference."""
    return f"/v2/models/{variant}/infer"


def question(rows: Sequence[Sequence[float | None]]) -> dict[str, Any]:
    """Return the V2 request that has these rows scored."""
    shape = [len(rows), len(rows[0])]
    data = [value for row in rows for value in row]
    return {"inputs": [{"name": "features", "datatype": "FP64", "shape": shape, "data": data}]}


def answer_of(variant: str, found: Any) -> Answer:
    """Read a V2 response; raises ``DeployError`` if it is not usable."""
    try:
        return Answer(found["parameters"]["digest"], found["outputs"][0]["data"])
    except (KeyError, IndexError, TypeError) as exc:
        raise DeployError(f"{variant}: found {found}, expected digest and scores") from exc


@dataclass(frozen=True, slots=True)
class Deployment:
    """Puts models in place where a running server reads them, and has it take them."""

    promoter: Promoter
    server: Server

    def deploy(self, folder: Path, because: str | None = None) -> Promotion | None:
        """Take a model folder, or a folder of both; None if it is in place already.

        Raises:
            PromotionError: nothing has changed, or what stood before stands again.
        """
        self._expect_answers()
        promotion = self.promoter.put(candidates(folder, self.promoter.root), because)
        self._take(promotion)
        return promotion

    def go_back(self, because: str | None = None) -> Promotion | None:
        """Take what stood before; raises ``PromotionError`` as ``deploy`` does."""
        self._expect_answers()
        promotion = self.promoter.go_back(because)
        self._take(promotion)
        return promotion

    def _expect_answers(self) -> None:
        """A server that is away can take nothing, so nothing is changed."""
        row = [None] * len(NAMES)
        for variant in VARIANTS:
            self.server.score(variant, [row])

    def _take(self, promotion: Promotion | None) -> None:
        try:
            self._load()
        except DeployError as exc:
            if promotion is None or promotion.from_ is None:
                raise
            self._restore(promotion, str(exc))
            raise DeployError(f"the models before stand again: {exc}") from exc

    def _restore(self, failed: Promotion, reason: str) -> None:
        because = f"the server did not take {failed.digest[:12]}: {reason}"
        if failed.action == "promote":
            self.promoter.go_back(because)
        else:
            kept = recall(self.promoter.store, failed.from_ or {})
            self.promoter.put(folders_in(kept), because)
        self._load()

    def _load(self) -> None:
        for variant, folder in folders_in(self.promoter.root).items():
            artifact = load_folder(folder)
            serves = self.server.score(variant, artifact.card.golden.rows[:1]).digest
            if serves != artifact.info.digest:
                self.server.load(variant)
                self.promoter.say(f"loaded    {variant} {artifact.info.version}")
            check(self.server, artifact)
            self.promoter.say(f"scored    {variant} {artifact.info.version}: golden rows agree")


def candidates(folder: Path, root: Path) -> Folders:
    """Return both folders of a deployment: those found in ``folder``, else those in place.

    Raises:
        DeployError: there is no model folder in it.
    """
    if (folder / MODEL).exists():
        try:
            found = {load_folder(folder).info.variant: folder}
        except ArtifactError as exc:
            raise DeployError(str(exc)) from exc
    else:
        inside = folders_in(folder)
        found = {v: path for v, path in inside.items() if (path / MODEL).exists()}
    if not found or not set(found) <= set(VARIANTS):
        raise DeployError(
            f"{folder}: found model folders of {sorted(found) or 'no variant'}, expected one or"
            f" both of {', '.join(VARIANTS)}"
        )
    return folders_in(root) | found


def check(server: Server, artifact: Artifact) -> None:
    """Have the server score the model's golden rows.

    Raises:
        DeployError: another model answers, or a row scores otherwise.
    """
    golden, info = artifact.card.golden, artifact.info
    answer = server.score(info.variant, golden.rows)
    if answer.digest != info.digest:
        raise DeployError(
            f"{info.variant}: found digest {answer.digest[:12]} serving, expected {info.version}"
        )
    for number, (found, expected) in enumerate(zip(answer.scores, golden.scores, strict=True)):
        if abs(found - expected) > TOLERANCE:
            raise DeployError(
                f"{info.variant}: the server scores golden row {number} {found!r}, expected"
                f" {expected!r} within {TOLERANCE}"
            )
