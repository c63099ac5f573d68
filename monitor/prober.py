"""The named prober: real rows, posted to the adapter every few seconds, so that the service's
availability and latency are measured on honest traffic.
"""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Final

import aiohttp
import msgspec

from featurizer import row as feature_row
from featurizer.row import FeatureRow
from monitor.config import Settings
from monitor.metrics import MonitorMetrics
from monitor.reading import LogReader, Reopened
from plumbing.kafka import Partition, PassedOver, Record
from plumbing.logs import get_logger
from plumbing.tracing.trace import UNTRACED, Span, Tracer, headers_of

USER_AGENT: Final = "crypto-volatility-prober"
LAST: Final = 3
"""Records looked at from the end of a partition: the very last offset may hold no record."""
LOOK_SECONDS: Final = 0.5

Newest = Callable[[], FeatureRow | None]


class NewestRow:
    """Finds the row of ``features`` that arrived last, without reading the topic through."""

    def __init__(self, reader: Reopened) -> None:
        self._held = reader
        self._ends: dict[Partition, int] = {}
        self._newest: tuple[int, FeatureRow] | None = None
        self._passed = PassedOver("monitor, probing")

    def __call__(self) -> FeatureRow | None:
        """Return the newest row; None before there is one."""
        with self._held as reader:
            ends, beginnings = reader.ends(), reader.beginnings()
            grown = [p for p, end in ends.items() if end > self._ends.get(p, beginnings[p])]
            if grown:
                reader.assign(grown)
                for partition in grown:
                    reader.seek(partition, max(beginnings[partition], ends[partition] - LAST))
                self._look(reader, len(grown))
                self._ends = ends
        return self._newest[1] if self._newest else None

    def _look(self, reader: LogReader, partitions: int) -> None:
        until = time.monotonic() + LOOK_SECONDS
        met: set[int] = set()
        while len(met) < partitions and time.monotonic() < until:
            for record in reader.poll(0.1):
                met.add(record.partition)
                self._meet(record)

    def _meet(self, record: Record) -> None:
        if self._newest is not None and record.timestamp_ms < self._newest[0]:
            return
        row = self._passed.message(record, feature_row.decode)
        if row is not None:
            self._newest = (record.timestamp_ms, row)

    def close(self) -> None:
        """Close the connection."""
        self._held.close()


class _PredictResponse(msgspec.Struct):
    """What the prober reads of an answer of ``/predict``."""

    scores: list[float]


def result_of(status: int, body: bytes) -> str:
    """Name what an answer to one row means."""
    if status == 429:
        return "rate_limited"
    if status >= 500:
        return "server_error"
    if status >= 400:
        return "client_error"
    try:
        scores = msgspec.json.decode(body, type=_PredictResponse).scores
    except msgspec.DecodeError:
        return "bad_answer"
    good = len(scores) == 1 and math.isfinite(scores[0]) and 0.0 <= scores[0] <= 1.0
    return "ok" if good and status == 200 else "bad_answer"


class Prober:
    """Posts the newest real row; before there is one it sends nothing."""

    def __init__(
        self,
        settings: Settings,
        metrics: MonitorMetrics,
        newest: Newest,
        *,
        wall: Callable[[], float] = time.time,
        tracer: Tracer = UNTRACED,
    ) -> None:
        self._tracer = tracer
        self._settings, self._metrics, self._newest = settings, metrics, newest
        self._wall = wall
        self.last_result: str | None = None
        self._url = settings.adapter_url.rstrip("/") + "/predict"
        self._headers = {"User-Agent": USER_AGENT, "Content-Type": "application/json"}
        if settings.prober_key is not None:
            self._headers["X-API-Key"] = settings.prober_key.get_secret_value()

    async def run(self) -> None:
        """Probe until cancelled."""
        timeout = aiohttp.ClientTimeout(total=self._settings.probe_timeout_seconds)
        async with aiohttp.ClientSession(headers=self._headers, timeout=timeout) as session:
            while True:
                began = time.monotonic()
                try:
                    await self.probe(session)
                except Exception as exc:  # the broker may be away; the next look may find it
                    get_logger().warning("monitor.probe_skipped", reason=repr(exc))
                spent = time.monotonic() - began
                await asyncio.sleep(max(0.0, self._settings.probe_seconds - spent))

    async def probe(self, session: aiohttp.ClientSession) -> str | None:
        """Post one row and count the result; None if there was no row to post."""
        row = await asyncio.to_thread(self._newest)
        if row is None:
            return None
        body = msgspec.json.encode({"rows": [row.features]})
        began, span = time.perf_counter(), self._tracer.begin("probe", kind="client")
        result = await self._post(session, body, span)
        self._metrics.probes.labels(result).inc()
        if result != "unreachable":
            self._metrics.probe_seconds.observe(time.perf_counter() - began, span.exemplar)
        if result == "ok":
            self._metrics.probe_success.set(self._wall())
        self._note(result)
        return result

    async def _post(self, session: aiohttp.ClientSession, body: bytes, span: Span) -> str:
        result = await self._answered(
            session, body, {**self._headers, **headers_of(span.traceparent)}
        )
        span.tell("result", result)
        span.end()
        return result

    async def _answered(
        self, session: aiohttp.ClientSession, body: bytes, headers: dict[str, str]
    ) -> str:
        try:
            async with session.post(self._url, data=body, headers=headers) as answer:
                return result_of(answer.status, await answer.read())
        except TimeoutError:
            return "timeout"
        except (aiohttp.ClientError, OSError):
            return "unreachable"

    def _note(self, result: str) -> None:
        """Log a change of result, not each probe."""
        if result != self.last_result:
            get_logger().info("monitor.probe_result", found=result, before=self.last_result)
        self.last_result = result
