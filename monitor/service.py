"""The monitor's process: a thread that reads, an event loop that answers and probes."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from aiohttp import web
from prometheus_client import CollectorRegistry

from featurizer.row import FeatureRow
from ingestor.topics import (
    CONTROL,
    DEAD_LETTERS,
    FEATURES,
    FEED_EVENTS,
    OUTCOMES,
    PACKED,
    PREDICTIONS,
    SIGNALS,
    TICKS,
    TOPICS,
)
from monitor.config import Settings
from monitor.delivery.webhook import Webhook
from monitor.follow import Session
from monitor.http.access import warn_if_open
from monitor.http.api import Surroundings, create_app
from monitor.http.board import Board, Hub, Shown
from monitor.http.store import TopicStore
from monitor.http.stream import FrameHub
from monitor.metrics import MonitorMetrics
from monitor.page.live import Live
from monitor.page.stages import StageTimes
from monitor.past.way_back import WayBack
from monitor.prober import NewestRow, Prober
from monitor.reading import Reopened
from monitor.states.display import displayed_at, present
from monitor.states.machines import Standing
from plumbing.kafka import (
    KafkaSettings,
    Outbox,
    Producer,
    Reader,
    Worker,
    always,
    ensure_topics,
    trouble_of,
)
from plumbing.listening import host_for_asyncio
from plumbing.logs import get_logger
from plumbing.stop import Stop
from plumbing.tracing.trace import UNTRACED, Tracer
from signals import records as signals
from signals.row import Budget

STALLED_SECONDS: Final = 120.0
"""A loop silent for so long is not alive; reading back after an outage stays below it."""
LINGER_MS: Final = 5
SHOW_SECONDS: Final = 1.0
"""From one look at the wall clock to the next: what is old is blind, whatever Kafka does."""
QUIET_SECONDS: Final = 30.0
"""No prediction for so long is worth a warning in ``/health``."""

JOINED: Final = (TICKS.name, PREDICTIONS.name, OUTCOMES.name)


class Reading:
    """The reading thread, beside the event loop that answers."""

    def __init__(
        self,
        settings: Settings,
        kafka: KafkaSettings,
        board: Board,
        metrics: MonitorMetrics,
        on_new: Callable[[list[Shown]], None],
        on_told: Callable[[signals.Record], None],
        tracer: Tracer = UNTRACED,
    ) -> None:
        self._settings, self._kafka, self._tracer = settings, kafka, tracer
        self._board, self._metrics, self._on_new = board, metrics, on_new
        self._on_told = on_told
        self._beat = self._last_new = time.monotonic()
        self._session: Session | None = None
        stop = Stop()
        self._outbox = Outbox(
            partial(Producer, kafka, linger_ms=LINGER_MS, packed=PACKED),
            stop.wait,
            beat=self._beats,
        )
        self.worker = Worker(
            "monitor",
            self._opened,
            stop,
            outbox=self._outbox,
            beat=self._beats,
            failed=metrics.failures.inc,
            passing=always,
            explain=partial(trouble_of, kafka),
            pace=settings.batch_seconds,
        )

    @property
    def pending(self) -> int:
        """How many predictions wait for their label."""
        return 0 if self._session is None else self._session.pending

    def close(self) -> None:
        """Finish the batch, commit, and end."""
        # Without a broker there is no batch to finish, only a connecting that takes its time.
        self.worker.end(20 if self.worker.connected else 1)

    def alive(self) -> bool:
        """Say whether the loop still turns."""
        silent = time.monotonic() - self._beat
        return self.worker.alive and (not self.worker.rebuilt or silent < STALLED_SECONDS)

    @property
    def quiet_seconds(self) -> float:
        """Seconds since the last new prediction, or since the start."""
        return time.monotonic() - self._last_new

    def _opened(self) -> Session:
        ensure_topics(self._kafka, TOPICS)
        with contextlib.ExitStack() as opened:
            reader = Reader(
                self._kafka,
                JOINED,
                group=self._settings.group,
                changed=lambda kind: self._metrics.topic_changes.labels(kind).inc(),
                fetch_max_wait_ms=200,
            )
            opened.callback(reader.close)
            scanner = Reader(self._kafka, (*JOINED, SIGNALS.name, DEAD_LETTERS.name))
            opened.pop_all()
        self._session = Session(
            reader,
            scanner,
            self._outbox,
            self._board,
            self._metrics,
            self._settings,
            self._new,
            self._on_told,
            tracer=self._tracer,
        )
        return self._session

    def _beats(self) -> None:
        self._beat = time.monotonic()

    def _new(self, batch: list[Shown]) -> None:
        self._last_new = time.monotonic()
        self._on_new(batch)


class Monitor:
    """All parts of one process; ``serve`` runs them until it is told to stop."""

    def __init__(
        self,
        settings: Settings,
        kafka: KafkaSettings,
        registry: CollectorRegistry,
        tracer: Tracer = UNTRACED,
    ) -> None:
        self._settings = settings
        self._metrics = MonitorMetrics(registry)
        self._board = Board()
        self._live, self._stages = Live(), StageTimes()
        self._frames = FrameHub(
            lambda now_us: self._live.frame(now_us, self._board.forecasts), self._live.beat
        )
        self._hub = Hub(settings.stream_queue, self._metrics.stream_dropped.inc)
        self._metrics.stream_clients.set_function(lambda: len(self._hub))
        self._webhook = Webhook.of(settings, self._metrics)
        self._reading = Reading(
            settings, kafka, self._board, self._metrics, self._tell, self._told, tracer
        )
        self._newest = NewestRow(Reopened(lambda: Reader(kafka, [FEATURES.name])))
        self._prober = Prober(settings, self._metrics, self._newest_row, tracer=tracer)
        self._store = TopicStore(
            Reopened(lambda: Reader(kafka, [PREDICTIONS.name, OUTCOMES.name])),
            self._board,
            scan_records=settings.scan_records,
            scan_seconds=settings.scan_seconds,
        )
        self._signals = Reopened(lambda: Reader(kafka, [SIGNALS.name]))
        self._track = Reopened(lambda: Reader(kafka, [SIGNALS.name]))
        self._ledger = Reopened(lambda: Reader(kafka, [FEED_EVENTS.name, CONTROL.name]))
        self._back = WayBack(
            lambda: Reader(kafka, [PREDICTIONS.name, SIGNALS.name, TICKS.name]),
            Budget(settings.budget_elevated, settings.budget_spike),
            self._live,
            self._board,
            ready=lambda: self._reading.worker.rebuilt,
            stopped=lambda: self._stopping,
        )
        self._registry = registry
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self.port = settings.port

    async def serve(self, stop: asyncio.Event) -> None:
        """Listen, read and probe until ``stop`` is set; then end in order."""
        self._loop = asyncio.get_running_loop()
        async with self._listening():
            self._reading.worker.start()
            work = [self._prober.run(), self._show(), self._frames.run(), self._back.run()]
            if self._webhook is not None:
                work.append(self._webhook.run())
            beside = [asyncio.create_task(each) for each in work]
            get_logger().info("monitor.started", host=self._settings.host, port=self.port)
            warn_if_open(self._settings)
            await stop.wait()
            self._stopping = True
            await _ended(beside)
            self._frames.close()
            await asyncio.to_thread(self._reading.close)
            self._hub.close()
        await asyncio.to_thread(self._close)
        get_logger().info("monitor.stopped")

    async def _show(self) -> None:
        """Set the gauges of the states each second, also while nothing can be read."""
        while True:
            shown = displayed_at(self._board.states(), time.time_ns() // 1_000)
            self._metrics.show_states(present(shown))
            await asyncio.sleep(SHOW_SECONDS)

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        try:
            host = host_for_asyncio(self._settings.host)
            site = web.TCPSite(runner, host, self._settings.port)
            await site.start()
            self.port = runner.addresses[0][1]
            yield
        finally:
            await runner.cleanup()

    def _app(self) -> web.Application:
        around = Surroundings(
            settings=self._settings,
            board=self._board,
            hub=self._hub,
            store=self._store,
            signals=self._signals,
            track=self._track,
            live=self._live,
            stages=self._stages,
            ledger=self._ledger,
            frames=self._frames,
            registry=self._registry,
            alive=self._reading.alive,
            ready=self._ready,
            health=self._health,
        )
        return create_app(around)

    def _newest_row(self) -> FeatureRow | None:
        # Before the topics are there a reader would only block, and hold up the end.
        return self._newest() if self._reading.worker.connected else None

    def _close(self) -> None:
        self._store.close()
        self._signals.close()
        self._track.close()
        self._ledger.close()
        self._newest.close()

    def _tell(self, batch: list[Shown]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._hub.publish, batch)
            self._loop.call_soon_threadsafe(self._take, batch, self._board.states())

    def _take(self, batch: list[Shown], states: list[Standing]) -> None:
        """Give the page what came."""
        for shown in batch:
            self._stages.take(shown.prediction, shown.appended_ms)
        self._live.take([shown.prediction for shown in batch], states)

    def _told(self, record: signals.Record) -> None:
        if self._webhook is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._webhook.offer, record)

    def _ready(self) -> Mapping[str, bool]:
        return {
            "running": not self._stopping,
            "kafka": self._reading.worker.connected,
            "state_rebuilt": self._reading.worker.rebuilt,
        }

    def _health(self) -> Mapping[str, Any]:
        warnings = [name for name, there in self._ready().items() if not there]
        quiet = self._reading.quiet_seconds
        if quiet > QUIET_SECONDS:
            warnings.append("no_new_predictions")
        if self._prober.last_result not in (None, "ok"):
            warnings.append("probe_failing")
        return {
            "status": "warning" if warnings else "ok",
            "warnings": warnings,
            "products": self._board.products(),
            "pending": self._reading.pending,
            "seconds_since_new_prediction": round(quiet, 1),
            "last_probe": self._prober.last_result,
            "stream_clients": len(self._hub),
        }


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel what runs beside the reading, and wait until it is over."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def run(
    settings: Settings, kafka: KafkaSettings, registry: CollectorRegistry, tracer: Tracer
) -> None:
    """Run the monitor until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Monitor(settings, kafka, registry, tracer).serve(stop)
