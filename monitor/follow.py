"""The reading loop: predictions and ticks in, outcomes out; a killed one loses nothing.

The group's position in ``predictions`` is that of the oldest one still waiting. A start reads
them from there, but for those whose outcome stands in its topic already, and ``ticks`` back by
content as far as they need. An outcome once published is final.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Final

import msgspec

from featurizer.slots import MICROSECONDS
from ingestor import tick
from ingestor.topics import PREDICTIONS, TICKS
from monitor import restore
from monitor.config import Settings
from monitor.http.board import Board, Shown, shown_of
from monitor.join import Joiner, Matured
from monitor.letters import Letters
from monitor.metrics import MonitorMetrics
from monitor.places import Place, Places
from monitor.progress import Progress
from monitor.publication import Publication
from monitor.quality import RollingQuality
from monitor.reading import SILENT_SECONDS, GroupReader, LogReader, of_topic
from monitor.states.lookup import newest_records, starts, unread, usable
from monitor.states.machines import Machines
from monitor.tick_lookup import TickLookup
from plumbing.kafka import Outbox, Partition, PassedOver, Record, TopicChanged, message_of
from plumbing.kafka.outbox import ignored
from plumbing.logs import get_logger
from plumbing.tracing.trace import UNTRACED, Tracer
from signals import records as signals
from signals.row import Budget

FORECAST_SECONDS: Final = 10.0
"""Days of many products take a while to add up."""
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
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        tracer: Tracer = UNTRACED,
    ) -> None:
        self._reader, self._scanner = reader, scanner
        self._board, self._metrics, self._settings = board, metrics, settings
        self._on_new, self._clock, self._wall = on_new, clock, wall
        self._joiner = Joiner(settings.history_seconds)
        self._quality = RollingQuality(settings.quality_window_seconds)
        self._forecasts_due = 0.0
        self._machines = Machines(Budget(settings.budget_elevated, settings.budget_spike))
        self._places, self._letters = Places(), Letters(scanner)
        self._published, self._newest_ms = set[str](), 0
        self._passed = PassedOver("monitor")
        stands = self._joiner, self._places, self._quality
        self._publication = Publication(outbox, board, metrics, *stands, on_told, wall, tracer)
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
        newest = self._resume_states(beginnings, ends)
        stood = starts(newest, self._predictions)
        for partition in self._predictions:
            at = restore.unsettled_from(self._reader, partition, beginnings, ends)
            at = min(at, stood.get(partition, at))
            self._positions[partition] = max(beginnings[partition], at)
        self._positions.update({p: self._progress.ends[p] for p in self._ticks})
        self._take_unread(newest, beginnings)
        self._committed = {p: self._positions[p] for p in self._predictions}
        self._published = restore.published(
            self._scanner, self._committed, beginnings, self._progress.ends
        )
        self._read_unsettled()
        self._back.seek(self._joiner.waiting())
        self._assigned = ()
        self.ready = True
        told = {"pending": self.pending, "products": self._board.products()}
        get_logger().info("monitor.rebuilt", seconds=round(self._clock() - began, 3), **told)

    def _take_batch(self) -> int:
        """Read one batch, publish what matured, flush, then commit; return the records read."""
        records = self._poll(self._progress.turn(self._assigned, self.pending))
        self._publication.deliver(self._take(records))
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
            if letter:
                self._publication.refuse(letter)
            return self._bad(record)
        self._progress.made(shown.prediction)
        self._publication.tell(
            self._machines.take(shown.prediction, record.offset, record.partition)
        )
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
            self._board.remember(self._quality.forecasts)
            self._metrics.show_forecasts(self._board.forecasts)
        self._seek_early()
        self._give_up()

    def _seek_early(self) -> None:
        new, lost = self._back.missing(self._progress.ends)
        if lost:
            self._metrics.lost.inc(len(lost))
            get_logger().warning("monitor.ticks_missing", predictions=len(lost))
            self._publication.deliver([self._joiner.give_up(prediction) for prediction in lost])
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
        self._publication.deliver([self._joiner.give_up(p, "unfinished") for p in waiting])

    # ------------------------------------------------------------ on start
    def _restore(self, beginnings: Mapping[Partition, int]) -> None:
        newest = restore.latest(self._scanner, beginnings, self._progress.ends)
        for shown in newest:
            self._board.show(shown)
        self._on_new(newest)
        self._shown_until = {p: self._progress.ends[p] for p in self._predictions}
        settings = self._settings
        bounds = settings.quality_window_seconds, settings.read_back_records
        rows = restore.quality_rows(self._scanner, beginnings, self._progress.ends, *bounds)
        self._quality.refill(rows)

    def _resume_states(
        self, beginnings: Mapping[Partition, int], ends: Mapping[Partition, int]
    ) -> list[tuple[Record, signals.Record]]:
        """Let the machines go on; return the records that they go on from."""
        passed = PassedOver("monitor, signals")
        newest = newest_records(self._scanner, beginnings, ends, passed)
        self._count(passed)
        self._machines.resume(usable(newest, self._predictions, ends))
        self._board.states = self._machines.standing
        return newest

    def _take_unread(
        self, newest: list[tuple[Record, signals.Record]], beginnings: Mapping[Partition, int]
    ) -> None:
        """Let the machines take what stands before the positions that reading begins at."""
        passed = PassedOver("monitor, signals")
        for record, one in unread(self._scanner, newest, self._positions, beginnings, passed):
            self._publication.tell(self._machines.take(one, record.offset, record.partition))
        self._count(passed)

    def _count(self, passed: PassedOver) -> None:
        for topic, count in passed.counts.items():
            self._metrics.bad_records.labels(topic).inc(count)

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
