"""Asks the variant that serves and its shadows, all at once."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Protocol, TypeVar

from plumbing.logs import get_logger
from plumbing.tracing.trace import Span
from scorer.config import Settings
from scorer.metrics import Metrics
from scorer.variants import shadows_of
from serving.client import InferenceClient
from serving.control import Serving, Variant
from serving.tensor import EXAMPLE_ROW, Row
from serving.v2 import ModelError, Scored

PROBE_SECONDS: Final = 5.0
"""With nothing to score the model is asked this often, for /readyz."""

T = TypeVar("T")


class RunInLoop(Protocol):
    """Runs a coroutine to its end, always in the same loop: ``asyncio.Runner.run``."""

    def __call__(self, coro: Coroutine[Any, Any, T], /) -> T: ...


class ShadowClient:
    """Scores rows; ``answers`` says whether the variant that serves did so last time.

    ``clock`` gives seconds.
    """

    def __init__(
        self,
        settings: Settings,
        model: InferenceClient,
        serving: Serving,
        metrics: Metrics,
        run: RunInLoop,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._model, self._serving = settings, model, serving
        self._metrics, self._run, self._clock = metrics, run, clock
        self.answers = False
        self._asked = clock()
        self._reason = ""

    def ask(self, rows: Sequence[Row], spans: Sequence[Span]) -> tuple[Scored, list[Scored]]:
        """Return the scores of the variant that serves now and those of the shadows that answer.

        ``spans`` are those of the rows: the first recorded one shows the requests, as they are
        the same for all, and the others point to it.

        Raises:
            ModelError: the one that serves gave no usable answer.
        """
        served, started = self._serving.variant, self._clock()
        self._metrics.serves(served)
        shadows = shadows_of(served, self._settings.shadows)
        shown, *others = [span for span in spans if span.recorded] or spans[:1]
        try:
            answers = self._run(self._all(served, shadows, rows, shown.traceparent))
        except ModelError as exc:
            self._heard(served, exc)
            raise
        self._heard(served)
        for span in others:
            span.link(shown)
        self._metrics.inference.observe(self._clock() - started)
        self._metrics.batch_rows.observe(len(rows))
        return answers

    def probe(self) -> None:
        """See whether the model answers; only from time to time while it does."""
        if self.answers and self._clock() - self._asked < PROBE_SECONDS:
            return
        served = self._serving.variant
        self._metrics.serves(served)
        within = self._settings.model_timeout_seconds
        try:
            self._run(self._model.infer(served, [EXAMPLE_ROW], within=within))
        except ModelError as exc:
            self._heard(served, exc)
            if str(exc) != self._reason:  # said once, not at every turn
                self._reason = str(exc)
                get_logger().warning("model.away", variant=served, reason=self._reason)
        else:
            self._heard(served)

    def _heard(self, variant: Variant, exc: ModelError | None = None) -> None:
        self.answers, self._asked = exc is None, self._clock()
        if exc is None:
            self._reason = ""
        else:
            self._metrics.model_errors.labels(variant, exc.kind).inc()

    async def _all(
        self, served: Variant, shadows: Sequence[Variant], rows: Sequence[Row], trace: str | None
    ) -> tuple[Scored, list[Scored]]:
        waiting = [asyncio.create_task(self._shadow(shadow, rows, trace)) for shadow in shadows]
        within = self._settings.model_timeout_seconds
        try:
            scored = await self._model.infer(served, rows, within=within, traceparent=trace)
            found = await asyncio.gather(*waiting)
        finally:
            for task in waiting:
                task.cancel()
        return scored, [shadow for shadow in found if shadow is not None]

    async def _shadow(
        self, variant: Variant, rows: Sequence[Row], trace: str | None
    ) -> Scored | None:
        within = self._settings.shadow_timeout_seconds
        try:
            return await self._model.infer(variant, rows, within=within, traceparent=trace)
        except ModelError as exc:
            self._metrics.model_errors.labels(variant, exc.kind).inc()
            self._metrics.shadows_missing.labels(variant).inc(len(rows))
            return None
