"""The reading loop: predictions and ticks in, outcomes out; a killed one loses nothing.

The group's position in ``predictions`` is that of the oldest one still waiting. A start reads
them from there, but for those whose outcome stands in its topic already, and ``ticks`` back by
content as far as they need. An outcome once published is final.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Final

import msgspec

from featurizer.slots import MICROSECONDS
from ingestor import tick
from ingestor.topics import OUTCOMES, PREDICTIONS, SIGNALS, TICKS
from monitor import outcome as outcomes
from monitor import restore
from monitor.config import Settings
from monitor.http.board import Board, Shown, shown_of
from monitor.join import Joiner, Matured
from monitor.letters import Letters
from monitor.metrics import MonitorMetrics, result_of
from monitor.places import Place, Places
from monitor.progress import Progress
from monitor.quality import RollingQuality
from monitor.reading import SILENT_SECONDS, GroupReader, LogReader, of_topic
from monitor.states.lookup import newest_records, starts, unread, usable
from monitor.states.machines import Machines
from monitor.tick_lookup import TickLookup
from plumbing.kafka import Outbox, Outgoing, Partition, PassedOver, Record, TopicChanged, message_of
from plumbing.kafka.outbox import ignored
from plumbing.logs import get_logger
from plumbing.tracing.trace import UNTRACED, Span, Tracer, headers_of
from signals import records as signals
from signals.row import Budget

FORECAST_SECONDS: Final = 10.0
"""Days of many products take a while to add up."""
SHOWN_HOURS: Final = 24
"""What chances said beside what came, in metrics: a day has calm and wild hours."""
CHECK_SECONDS: Final = 1.0


class Session:
    """One stretch of reading the log; ``reader`` and ``scanner`` cover all three topics.

    ``on_new`` is told each batch of predictions that were not there before, ``on_told`` each
    record of a state that stands in its topic now.
    """

    def __init__(
        self,
        reader: GroupReader,
        scanner: LogReader,
        outbox: Outbox,
        board: Board,
        metrics: MonitorMetrics,
        settings: Settings,
        on_new: Callable[[list[Shown]], None],
        on_told: Callable[[signals.Record], object] = ignored,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        tracer: Tracer = UNTRACED,
    ) -> None:
        self._tracer = tracer
        self._reader, self._scanner, self._outbox = reader, scanner, outbox
        self._board, self._metrics, self._settings = board, metrics, settings
        self._on_new, self._on_told = on_new, on_told
        self._clock, self._wall = clock, wall
        self._joiner = Joiner(settings.history_seconds)
        self._quality = RollingQuality(settings.quality_window_seconds)
        self._forecasts_due = 0.0
        self._machines = Machines(Budget(settings.budget_elevated, settings.budget_spike))
        self._told = list[signals.Record]()
        self._places, self._letters = Places(), Letters(scanner)
        self._published, self._newest_ms = set[str](), 0
        self._passed, self._refused = PassedOver("monitor"), list[Outgoing]()
        self._committed: dict[Partition, int] = {}
        self._assigned: tuple[str, ...] = ()
        self._shown_until: dict[Partition, int] = {}
        self._next_check = self._next_commit = -1.0
        self._ticks = of_topic(reader.partitions(), TICKS.name)
        self._predictions = of_topic(reader.partitions(), PREDICTIONS.name)
        late_us = settings.history_seconds * MICROSECONDS // 2
        topics = self._ticks, self._predictions
        self._progress = Progress(*topics, settings.most_pending, late_us)
        self._positions = self._progress.positions
        self.ready = self._whole = False
        self._back = TickLookup(self._joiner, scanner, metrics, self._ticks, self._positions)

    @property
    def pending(self) -> int:
        """How many predictions wait for their label."""
        return self._joiner.pending

    def close(self) -> None:
        """Commit what is published, unless a step failed just now, and close the connections."""
        with ExitStack() as closing:
            closing.callback(self._reader.close)
            closing.callback(self._scanner.close)
            if self._whole:
                self.commit()

    def step(self) -> int:
        """Take one batch through, the state rebuilt before the first; return the records read."""
        self._whole = False
        if not self.ready:
            self.start()
        read = self._take_batch()
        self._whole = True
        return read

    def start(self) -> None:
        """Rebuild all state from the topics."""
        began = self._clock()
        ends, beginnings = self._scanner.ends(), self._scanner.beginnings()
        self._progress.ends = ends
        self._restore(beginnings)
        passed = PassedOver("monitor, signals")
        newest = newest_records(self._scanner, beginnings, ends, passed)
        for topic, count in passed.counts.items():
            self._metrics.bad_records.labels(topic).inc(count)
        self._machines.resume(usable(newest, self._predictions, ends))
        self._board.states = self._machines.standing
        stood = starts(newest, self._predictions)
        for partition in self._predictions:
            at = restore.unsettled_from(self._reader, partition, beginnings, ends)
            self._positions[partition] = max(
                beginnings[partition], min(at, stood.get(partition, at))
            )
        self._positions.update({p: self._progress.ends[p] for p in self._ticks})
        for record, one in unread(self._scanner, newest, self._positions, beginnings, passed):
            self._told += self._machines.take(one, record.offset, record.partition)
        self._committed = {p: self._positions[p] for p in self._predictions}
        self._published = restore.published(
            self._scanner, self._committed, beginnings, self._progress.ends
        )
        self._read_unsettled()
        self._back.seek(self._joiner.waiting())
        self._assigned = ()
        self.ready = True
        get_logger().info(
            "monitor.rebuilt",
            seconds=round(self._clock() - began, 3),
            pending=self.pending,
            products=self._board.products(),
        )

    def _take_batch(self) -> int:
        """Read one batch, publish what matured, flush, then commit; return the records read."""
        records = self._poll(self._progress.turn(self._assigned, self.pending))
        self._publish(self._take(records))
        now = self._clock()
        if now >= self._next_check:
            self._next_check = now + CHECK_SECONDS
            self._check()
        if now >= self._next_commit:
            self._next_commit = now + self._settings.commit_seconds
            self.commit()
        return len(records)

    def commit(self) -> None:
        """Commit ``predictions`` up to the oldest one that still waits."""
        read = {p: self._places.position(p, self._positions[p]) for p in self._predictions}
        moved = {p: offset for p, offset in read.items() if offset != self._committed.get(p)}
        if self._reader.commit(moved):
            self._committed.update(moved)

    # ------------------------------------------------------------ reading
    def _poll(self, topics: tuple[str, ...]) -> list[Record]:
        if topics != self._assigned:
            self._assigned = topics
            mine = [p for p in (*self._ticks, *self._predictions) if p.topic in topics]
            self._reader.assign(mine)
            for partition in mine:
                self._reader.seek(partition, self._positions[partition])
        return self._reader.poll(0.2)

    def _take(self, records: Iterable[Record]) -> list[Matured]:
        matured: list[Matured] = []
        new: list[Shown] = []
        for record in records:
            partition = Partition(record.topic, record.partition)
            if record.offset < self._positions[partition]:
                continue  # fetched before a seek: it was or will be read in its order
            self._positions[partition] = record.offset + 1
            self._newest_ms = max(self._newest_ms, record.timestamp_ms)
            self._metrics.records.labels(record.topic).inc()
            if record.topic == TICKS.name:
                matured.extend(self._event(record))
            else:
                matured.extend(self._prediction(record, partition, new))
        if new:
            self._on_new(new)
        return matured

    def _event(self, record: Record) -> list[Matured]:
        try:
            event = message_of(record, tick.decode)
        except msgspec.DecodeError as exc:
            self._passed.note(record, exc)  # the featurizer has made a dead letter of it
            return self._bad(record)
        self._back.tick_at(event.product_id, record.partition)
        self._progress.met(event)
        if isinstance(event, tick.Break):
            self._board.broke(event)
        return self._joiner.update(event)

    def _prediction(self, record: Record, at: Partition, new: list[Shown]) -> list[Matured]:
        try:
            shown = shown_of(record)
        except msgspec.DecodeError as exc:
            letter = self._letters.letter(record, str(exc), int(self._wall() * 1e6))
            self._refused += [letter] if letter else []
            return self._bad(record)
        self._progress.made(shown.prediction)
        self._told += self._machines.take(shown.prediction, record.offset, record.partition)
        name, partitions = shown.prediction.product_id, len(self._predictions)
        self._back.prediction_at(name, record.partition, partitions)
        prediction_id = shown.prediction.prediction_id
        if prediction_id in self._published:
            return []
        added = self._joiner.add(shown.prediction)
        if added.repeated:
            return []
        trace = record.headers.get("traceparent")
        self._places.add(prediction_id, Place(at, record.offset, trace, record.timestamp_ms))
        self._board.wait(prediction_id)
        if record.offset >= self._shown_until.get(at, 0):
            self._board.show(shown)
            new.append(shown)
        return [added.matured] if added.matured else []

    def _bad(self, record: Record) -> list[Matured]:
        self._metrics.bad_records.labels(record.topic).inc()
        return []

    # ------------------------------------------------------------ publishing
    def _publish(self, matured: list[Matured]) -> None:
        refused, self._refused = self._refused, []
        told, self._told = self._told, []
        if matured or refused or told:
            outgoing = [self._outgoing(one) for one in matured]
            self._outbox.deliver([*outgoing, *map(self._signal, told), *refused])
        if not matured:
            return
        oldest_us = min(one.possible_us for one in matured)
        self._metrics.maturity_lag.set(self._wall() - oldest_us / 1e6)

    def _outgoing(self, one: Matured) -> Outgoing:
        """Return the record of an outcome; its span begins when it could be known."""
        outcome = one.outcome
        parent = self._places.traceparent(outcome.prediction_id)
        span = self._tracer.begin("outcome", parent, kind="consumer", start_us=one.possible_us)
        span.tell("prediction_id", outcome.prediction_id)
        span.tell("result", result_of(outcome))
        return Outgoing(
            OUTCOMES.name,
            outcome.product_id,
            outcomes.encode(outcome),
            headers_of(span.traceparent),
            acknowledged=partial(self._settled, one, span),
        )

    def _signal(self, record: signals.Record) -> Outgoing:
        """Return the record of a state for its topic."""
        return Outgoing(
            SIGNALS.name,
            record.product_id,
            signals.encode(record),
            {},
            acknowledged=lambda now_us: self._stands(record),
        )

    def _stands(self, record: signals.Record) -> None:
        self._metrics.signal(record)
        self._on_told(record)

    def _settled(self, one: Matured, span: Span, now_us: int) -> None:
        span.end(now_us)
        outcome = one.outcome
        self._places.done(outcome.prediction_id)
        self._board.settle(outcome)
        self._metrics.outcomes.labels(result_of(outcome)).inc()
        feed = self._joiner.feed(outcome.product_id)
        if feed is not None:
            self._quality.begin(outcome.product_id, feed)
            self._quality.add(one.prediction, outcome)

    # ------------------------------------------------------------ now and then
    def _check(self) -> None:
        self._progress.ends = self._reader.ends()
        if (shrunk := self._progress.beyond()) is not None:
            self._metrics.topic_changes.labels("began_anew").inc()
            raise TopicChanged(f"{shrunk.topic}[{shrunk.number}] ends before what was read of it")
        for topic in (TICKS.name, PREDICTIONS.name):
            self._metrics.lag.labels(topic).set(self._progress.lag(topic))
        self._metrics.pending.set(self.pending)
        self._metrics.show(self._quality.snapshot())
        if self._clock() >= self._forecasts_due:
            self._forecasts_due = self._clock() + FORECAST_SECONDS
            self._board.forecasts = tuple(self._quality.forecasts.last(SHOWN_HOURS))
            self._metrics.show_forecasts(self._board.forecasts)
        self._seek_early()
        self._give_up()

    def _seek_early(self) -> None:
        new, lost = self._back.missing(self._progress.ends)
        if lost:
            self._metrics.lost.inc(len(lost))
            get_logger().warning("monitor.ticks_missing", predictions=len(lost))
            self._publish([self._joiner.give_up(prediction) for prediction in lost])
        if new:
            self._back.seek(new)
            self._progress.went_back()
            self._assigned = ()

    def _give_up(self) -> None:
        """Let go of what waits in vain: all ticks are read, and others came since for long."""
        since_ms = self._newest_ms - 1_000 * self._settings.give_up_seconds
        late = set() if self._progress.lag(TICKS.name) else set(self._places.since(since_ms))
        if not late:
            return
        waiting = [p for p in self._joiner.waiting() if p.prediction_id in late]
        products = sorted({p.product_id for p in waiting})
        get_logger().warning("monitor.given_up", predictions=len(waiting), products=products)
        self._publish([self._joiner.give_up(p, "unfinished") for p in waiting])

    # ------------------------------------------------------------ on start
    def _restore(self, beginnings: Mapping[Partition, int]) -> None:
        newest = restore.latest(self._scanner, beginnings, self._progress.ends)
        for shown in newest:
            self._board.show(shown)
        self._on_new(newest)
        self._shown_until = {p: self._progress.ends[p] for p in self._predictions}
        rows = restore.quality_rows(
            self._scanner,
            beginnings,
            self._progress.ends,
            self._settings.quality_window_seconds,
            self._settings.read_back_records,
        )
        for prediction, outcome in rows:
            self._quality.begin(outcome.product_id, outcome.feed)
            self._quality.add(prediction, outcome)

    def _read_unsettled(self) -> None:
        """Read what waits; what a silent broker holds back is read, and sought, by ``step``."""
        heard = self._clock()
        while self._progress.lag(PREDICTIONS.name) and self.pending < self._settings.most_pending:
            if self._take_some():
                heard = self._clock()
            elif self._clock() - heard > SILENT_SECONDS:
                break

    def _take_some(self) -> int:
        records = self._poll((PREDICTIONS.name,))
        self._take(records)
        return len(records)
