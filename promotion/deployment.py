"""Deployment: what is promoted reaches the running model server, or the old models stay.

The server loads the new model before it drops the old one, so no request fails meanwhile.
"""

import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Final, Protocol

from promotion.errors import PromotionError
from promotion.log import Promotion
from promotion.model_pair import Folders, folders_in, loaded
from promotion.model_store import recall
from promotion.promoter import Promoter
from serving.artifact import MODEL, Artifact, load_folder
from serving.control import VARIANTS
from serving.predictor import TOLERANCE
from serving.tensor import EXAMPLE_ROW, Row
from serving.v2 import BadResponse, Scored, decode_response, encode_request, infer_path

LOAD_PATH: Final = "/v2/repository/models/{variant}/load"
LOAD_SECONDS: Final = 120.0
"""Unpickling a large model may take its time; the old one answers meanwhile."""


class DeployError(PromotionError):
    """The server did not take a model; the message says what was found and what was expected."""


class ModelServer(Protocol):
    """What is needed of a V2 model server."""

    def load(self, variant: str) -> None: ...

    def score(self, variant: str, rows: Sequence[Row]) -> Scored: ...


class V2Server:
    """A V2 model server at ``url``, with its repository extension."""

    def __init__(self, url: str, *, timeout: float = LOAD_SECONDS) -> None:
        self._url, self._timeout = url.rstrip("/"), timeout

    def load(self, variant: str) -> None:
        """Have the server read the model's folder again; raises ``DeployError`` if it refuses."""
        self._post(LOAD_PATH.format(variant=variant), b"{}")

    def score(self, variant: str, rows: Sequence[Row]) -> Scored:
        """Score rows in the order of ``NAMES``; raises ``DeployError`` without a usable answer."""
        body = self._post(infer_path(variant), encode_request(rows))
        return read_scores(variant, body, len(rows))

    def _post(self, path: str, body: bytes) -> bytes:
        request = urllib.request.Request(
            self._url + path, body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:
                found: bytes = response.read()
                return found
        except urllib.error.HTTPError as exc:
            said = exc.read()[:500].decode(errors="replace")
            raise DeployError(f"{path}: found status {exc.code}, expected 200: {said}") from exc
        except (OSError, ValueError, HTTPException) as exc:
            raise DeployError(f"{self._url}{path}: {exc}") from exc


def read_scores(variant: str, body: bytes, rows: int) -> Scored:
    """Read the answer to an infer request; raises ``DeployError`` if it is not usable."""
    try:
        return decode_response(body, rows, variant)
    except BadResponse as exc:
        raise DeployError(f"{variant}: {exc}") from exc


@dataclass(frozen=True, slots=True)
class Deployment:
    """Puts models in place where a running server reads them, and has it take them."""

    promoter: Promoter
    server: ModelServer

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
        for variant in VARIANTS:
            self.server.score(variant, [EXAMPLE_ROW])

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
            serves = self.server.score(variant, artifact.card.golden.inputs[:1]).info.digest
            if serves != artifact.info.digest:
                self.server.load(variant)
                self.promoter.say(f"loaded    {variant} {artifact.info.version}")
            check(self.server, artifact)
            self.promoter.say(f"scored    {variant} {artifact.info.version}: golden rows agree")


def candidates(folder: Path, root: Path) -> Folders:
    """Return both folders of a deployment: those found in ``folder``, else those in place.

    Raises:
        PromotionError: there is no model folder in it, or it is damaged.
    """
    if (folder / MODEL).exists():
        found = {loaded(folder).info.variant: folder}
    else:
        inside = folders_in(folder)
        found = {v: path for v, path in inside.items() if (path / MODEL).exists()}
    if not found or not set(found) <= set(VARIANTS):
        raise DeployError(
            f"{folder}: found model folders of {sorted(found) or 'no variant'}, expected one or"
            f" both of {', '.join(VARIANTS)}"
        )
    return folders_in(root) | found


def check(server: ModelServer, artifact: Artifact) -> None:
    """Have the server score the model's golden rows.

    Raises:
        DeployError: another model answers, or a row scores otherwise.
    """
    golden, info = artifact.card.golden, artifact.info
    answer = server.score(info.variant, golden.inputs)
    if answer.info.digest != info.digest:
        raise DeployError(
            f"{info.variant}: found digest {answer.info.version} serving, expected {info.version}"
        )
    for number, (found, expected) in enumerate(
        zip([*answer.scores, *(answer.severe or [])], [*golden.scores, *golden.severe], strict=True)
    ):
        if abs(found - expected) > TOLERANCE:
            raise DeployError(
                f"{info.variant}: the server scores golden row {number % len(golden.rows)}"
                f" {found!r}, expected {expected!r} within {TOLERANCE}"
            )
