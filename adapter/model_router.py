"""What the adapter knows of the models: asks them, falls back, remembers how they were."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from adapter.metrics import Metrics
from plumbing.logs import get_logger
from serving.artifact import Artifact, ArtifactError, ModelInfo
from serving.client import InferenceClient, RawResponse
from serving.control import VARIANTS, Serving, Variant
from serving.predictor import RowPredictor, outputs_of, plain_predictor
from serving.tensor import EXAMPLE_ROW, OUTPUT, SEVERE, Row
from serving.v2 import ModelAway, ModelError, Scored

LOOK_SECONDS: Final = 1.0
"""What is known of a model for no longer than this is not asked again."""
LONGEST_LOOK_SECONDS: Final = 1.0


class ProxyClient(InferenceClient, Protocol):
    """What else is needed of ``V2Client``: to pass requests on."""

    async def forward(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        *,
        traceparent: str | None = None,
    ) -> RawResponse: ...


@dataclass(frozen=True, slots=True)
class Fallback:
    """The baseline, answered by this process."""

    model: RowPredictor
    info: ModelInfo

    @classmethod
    def of(cls, artifact: Artifact) -> "Fallback":
        """Take a verified folder; raises ``ArtifactError`` if it is not the linear baseline."""
        model = plain_predictor(artifact)
        if model is None or artifact.info.variant != "baseline":
            raise ArtifactError(
                f"found model {artifact.info.variant!r} for the fallback, expected the linear"
                " one 'baseline'"
            )
        return cls(model, artifact.info)

    def score(self, rows: Sequence[Row]) -> Scored:
        """Score rows in the order of ``NAMES``, with the bits that MLServer would give."""
        found = outputs_of(self.model, rows)
        return Scored(found[OUTPUT], self.info, found.get(SEVERE))


@dataclass(frozen=True, slots=True)
class State:
    """How a variant was when it was last asked; ``asked`` in seconds of the clock."""

    asked: float
    answers: bool
    reason: str | None = None
    info: ModelInfo | None = None


class ModelRouter:
    """Scores by the variant that serves; safe for any number of requests at once."""

    def __init__(
        self,
        model: ProxyClient,
        serving: Serving,
        metrics: Metrics,
        *,
        fallback: Fallback | None,
        feed_dialect: str,
        clock: Callable[[], float],
    ) -> None:
        self.serving, self.fallback, self.feed_dialect = serving, fallback, feed_dialect
        self._model, self._metrics, self._clock = model, metrics, clock
        self._states: dict[str, State] = {}
        self._looking = asyncio.Lock()

    async def score(self, rows: Sequence[Row], traceparent: str | None = None) -> Scored:
        """Score by the variant that serves now, or by the fallback where there is one.

        Raises:
            ModelError: no usable answer, and no fallback.
        """
        variant = self.serving.variant
        try:
            return await self._ask(variant, rows, traceparent=traceparent)
        except ModelError as exc:
            get_logger().warning("model.failed", variant=variant, reason=str(exc))
            if self.fallback is None:
                raise
            self._metrics.fallbacks.inc()
            return self.fallback.score(rows)

    async def forward(
        self,
        variant: Variant | None,
        method: str,
        path: str,
        body: bytes,
        headers: dict[str, str],
        traceparent: str | None = None,
    ) -> RawResponse:
        """Pass a V2 request on unchanged; raises ``ModelAway`` where nothing answers."""
        try:
            return await self._model.forward(
                method, path, body or None, headers, traceparent=traceparent
            )
        except ModelAway as exc:
            get_logger().warning("model.failed", path=path, reason=str(exc))
            if variant is not None:
                self._note_failure(variant, exc)
            raise

    async def look(self) -> dict[Variant, State]:
        """Return how all variants are now; asks those not heard of within a second."""
        async with self._looking:
            await asyncio.gather(*(self._look(variant) for variant in VARIANTS))
        return {variant: self._states[variant] for variant in VARIANTS}

    def known(self) -> dict[Variant, State]:
        """Return what is known without asking."""
        return {variant: self._states[variant] for variant in VARIANTS if variant in self._states}

    async def _look(self, variant: Variant) -> None:
        state = self._states.get(variant)
        if state is None or self._clock() - state.asked >= LOOK_SECONDS:
            with suppress(ModelError):  # it is in the state now
                await self._ask(variant, [EXAMPLE_ROW], within=LONGEST_LOOK_SECONDS)

    async def _ask(
        self,
        variant: Variant,
        rows: Sequence[Row],
        *,
        within: float | None = None,
        traceparent: str | None = None,
    ) -> Scored:
        try:
            scored = await self._model.infer(variant, rows, within=within, traceparent=traceparent)
        except ModelError as exc:
            self._note_failure(variant, exc)
            raise
        self._states[variant] = State(self._clock(), True, info=scored.info)
        self._metrics.answered(scored.info)
        return scored

    def _note_failure(self, variant: Variant, exc: ModelError) -> None:
        before = self._states.get(variant)
        info = before.info if before else None
        self._states[variant] = State(self._clock(), False, str(exc), info)
        self._metrics.failed(variant, exc.kind)
