"""The loop around the engine, over a partition in memory."""

import math
from collections.abc import Callable, Mapping, Sequence

import pytest
from prometheus_client import CollectorRegistry

from featurizer.engine import FeatureEngine
from featurizer.history import DeadlineError
from featurizer.level.board import Board
from featurizer.level.records import decode_minute
from featurizer.level.records import encode as encode_closed
from featurizer.metrics import FeaturizerMetrics
from featurizer.row import encode
from featurizer.service import Session
from featurizer.span import Span
from ingestor.dead_letter import decode as decode_letter
from ingestor.tick import Event
from ingestor.tick import encode as encode_event
from plumbing.backoff import Backoff
from plumbing.kafka import DeliveryError, Moved, Outbox, Partition, Record, Worker
from plumbing.stop import Stop
from tests.featurizer.market import SECOND, START, market, tick

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
HERE = Partition("ticks", 0)
Sent = tuple[str, str, bytes, Mapping[str, str]]


class Memory:
    """One partition, one group and one topic of rows, all in memory; it is its own client."""

    def __init__(self, values: Sequence[bytes], batch: int = 50) -> None:
        self.values, self.batch = values, batch
        self.committed = self.next = self.read_back = 0
        self.steps: list[str] = []
        self.sent: list[Sent] = []
        self.fail_flush = self.fail_reading = False
        self.joined, self.append_ms = True, 1
        self.on_drained: Callable[[], None] = lambda: None
        self.moved: list[tuple[Moved, Sequence[Partition]]] = []

    def join(self, assigned: Moved, revoked: Moved) -> "Memory":
        self.assigned, self.revoked = assigned, revoked
        self.next = self.committed
        self.moved = [(assigned, [HERE])]
        return self

    # as a consumer
    def poll(self, timeout: float) -> list[Record]:
        while self.moved:
            callback, partitions = self.moved.pop(0)
            callback(partitions)
        first, self.next = self.next, min(self.next + self.batch, len(self.values))
        if first == self.next:
            self.on_drained()
        return [self.record(offset) for offset in range(first, self.next)]

    def position(self, partition: Partition) -> int:
        return self.next

    def commit(self) -> bool:
        self.steps.append("commit")
        self.committed = self.next
        return True

    # as a sink
    def send(self, topic: str, key: str, value: bytes, headers: Mapping[str, str] = {}) -> None:
        self.steps.append("send")
        self.sent.append((topic, key, value, headers))

    def flush(self) -> None:
        self.steps.append("flush")
        if self.fail_flush:
            self.fail_flush = False
            raise DeliveryError("broker away")

    # as the history
    def beginning(self, partition: Partition) -> int:
        return 0

    def end(self, partition: Partition) -> int:
        return len(self.on(partition.topic))

    def on(self, topic: str) -> list[Sent]:
        """What was sent to a topic, whether or not it was committed after."""
        return [sent for sent in self.sent if sent[0] == topic]

    def read(self, partition: Partition, span: Span, deadline: float) -> Sequence[Record]:
        if partition.topic != "ticks":
            found = list(enumerate(self.on(partition.topic)))[span.first : span.end]
            return [
                Record(topic, 0, at, self.append_ms, key, value, headers)
                for at, (topic, key, value, headers) in found
            ]
        if self.fail_reading or span.end != self.next:
            self.fail_reading = False
            raise DeadlineError("too slow")
        self.read_back += span.end - span.first
        return [self.record(offset) for offset in range(span.first, span.end)]

    def close(self) -> None:
        self.steps.append("close")

    def record(self, offset: int) -> Record:
        """One record with the trace of its tick."""
        value = self.values[offset]
        headers = {"traceparent": TRACE}
        return Record("ticks", 0, offset, self.append_ms, "BTC-USD", value, headers)


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry of the test's own."""
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> FeaturizerMetrics:
    """The metrics in that registry."""
    return FeaturizerMetrics(registry)


def session(memory: Memory, metrics: FeaturizerMetrics) -> Session:
    """A session whose wall clock stands 250 ms after the generated market's beginning."""
    outbox = Outbox(lambda: memory, Stop().wait)
    return Session(
        memory.join, lambda: memory, outbox, metrics, 60.0, now_us=lambda: START + 250_000
    )


def worker(
    memory: Memory,
    metrics: FeaturizerMetrics,
    stop: Stop,
    beat: Callable[[], None] = lambda: None,
) -> Worker:
    """The loop around sessions of this memory, which waits for nothing."""
    at_once = Backoff(0.0, 0.0)
    outbox = Outbox(lambda: memory, stop.wait, backoff=at_once)
    return Worker(
        "featurizer",
        lambda: Session(memory.join, lambda: memory, outbox, metrics, 60.0),
        stop,
        outbox=outbox,
        beat=beat,
        failed=metrics.broker_failures.inc,
        backoff=at_once,
    )


def run(memory: Memory, metrics: FeaturizerMetrics) -> None:
    """Work until all of the partition was read."""
    stop = Stop()
    memory.on_drained = stop.request
    worker(memory, metrics, stop).run()


def values(events: Sequence[Event]) -> list[bytes]:
    """The events as they stand in the log."""
    return [encode_event(event) for event in events]


def rows(memory: Memory) -> list[bytes]:
    """The rows that were published."""
    return [value for topic, _, value, _ in memory.sent if topic == "features"]


def calm_rows(events: Sequence[Event]) -> list[bytes]:
    """The rows of a run without failures."""
    engine = FeatureEngine()
    return [encode(row) for event in events if (row := engine.update(event))]


def test_batch_is_published_flushed_then_committed(metrics: FeaturizerMetrics) -> None:
    """Nothing is committed before all of its rows are acknowledged."""
    memory = Memory(values([tick(START), tick(START + 1)]))
    session(memory, metrics).step()
    assert memory.steps == ["close", "send", "send", "flush", "commit"]
    assert memory.committed == 2


def test_row_carries_trace_and_times(metrics: FeaturizerMetrics) -> None:
    """A row has its tick's key, continues its trace and says when it came and was made."""
    memory = Memory(values([tick(START, received_us=START + 7)]))
    session(memory, metrics).step()
    [(topic, key, _, headers)] = memory.sent
    assert (topic, key) == ("features", "BTC-USD")
    assert headers["traceparent"].split("-")[1] == TRACE.split("-")[1]
    assert headers["traceparent"] != TRACE
    assert headers["received_us"] == str(START + 7)
    assert headers["featurized_us"] == str(START + 250_000)


def test_the_wait_in_the_topic_is_measured(
    metrics: FeaturizerMetrics, registry: CollectorRegistry
) -> None:
    """From the broker's append time, which the record carries, to the row."""
    memory = Memory(values([tick(START)]))
    memory.append_ms = START // 1_000
    session(memory, metrics).step()
    name = "featurizer_stage_duration_seconds_sum"
    assert registry.get_sample_value(name, {"stage": "published_to_featurized"}) == 0.25


def test_it_is_not_ready_before_it_has_joined(metrics: FeaturizerMetrics) -> None:
    """A poll without records does not mean that the group has given out the partitions."""
    memory = Memory([])
    memory.joined = False
    waiting = session(memory, metrics)
    waiting.step()
    assert not waiting.ready
    memory.joined = True
    waiting.step()
    assert waiting.ready


def test_unreadable_record_becomes_a_dead_letter(
    metrics: FeaturizerMetrics, registry: CollectorRegistry
) -> None:
    """What cannot be read is buried with its reason, and the stream goes on."""
    memory = Memory([b"not json", encode_event(tick(START))])
    session(memory, metrics).step()
    topic, _, value, headers = memory.sent[0]
    letter = decode_letter(value)
    assert topic == "dead-letters"
    assert (letter.source, letter.raw, letter.product_id) == ("featurizer", "not json", "BTC-USD")
    assert "expected a tick, beat or break" in letter.reason
    assert headers["traceparent"].split("-")[1] == TRACE.split("-")[1]
    assert len(rows(memory)) == 1
    assert memory.committed == 2
    assert registry.get_sample_value("featurizer_dead_letters_total") == 1


def test_late_and_repeated_ticks_are_counted(
    metrics: FeaturizerMetrics, registry: CollectorRegistry
) -> None:
    """Each has its counter by product; neither gives a row."""
    events = [tick(START + 5), tick(START + 5), tick(START), tick(START + 1)]
    memory = Memory(values(events))
    session(memory, metrics).step()
    product = {"product": "BTC-USD"}
    assert registry.get_sample_value("featurizer_rows_total", product) == 1
    assert registry.get_sample_value("featurizer_repeated_total", product) == 1
    assert registry.get_sample_value("featurizer_late_total", product) == 2
    assert registry.get_sample_value("featurizer_feed_changes_total", product) == 0


def test_change_of_feed_is_counted(metrics: FeaturizerMetrics, registry: CollectorRegistry) -> None:
    """Another feed is counted once, the first one is no change."""
    events = [tick(START), tick(START, feed="g"), tick(START + 1, feed="g")]
    memory = Memory(values(events))
    session(memory, metrics).step()
    product = {"product": "BTC-USD"}
    assert registry.get_sample_value("featurizer_feed_changes_total", product) == 1
    assert registry.get_sample_value("featurizer_rows_total", product) == 3
    assert registry.get_sample_value("featurizer_coverage_ratio", product) == 1 / 300


def test_restart_after_every_batch_gives_the_rows_of_a_calm_run(
    metrics: FeaturizerMetrics,
) -> None:
    """A new session rebuilds its state by reading back and goes on with equal bytes."""
    events = market(seed=3, steps=900)
    memory = Memory(values(events), batch=90)
    while memory.committed < len(events):
        session(memory, metrics).step()
    assert rows(memory) == calm_rows(events)
    assert memory.read_back > len(events)


def test_failed_flush_repeats_the_batch_with_equal_bytes(metrics: FeaturizerMetrics) -> None:
    """Rows that were not acknowledged are not committed, and come again, the same."""
    events = market(seed=4, steps=400)
    memory = Memory(values(events), batch=100)
    session(memory, metrics).step()
    once = len(rows(memory))
    memory.fail_flush = True
    run(memory, metrics)
    calm = calm_rows(events)
    found = rows(memory)
    repeated = len(found) - len(calm)
    assert 0 < repeated <= 100
    assert found == [*calm[: once + repeated], *calm[once:]]


def test_no_row_comes_from_a_state_that_could_not_be_read(
    metrics: FeaturizerMetrics, registry: CollectorRegistry
) -> None:
    """If not even the newest records can be read back, all begins anew instead."""
    events = market(seed=4, steps=400)
    memory = Memory(values(events), batch=200)
    session(memory, metrics).step()
    memory.fail_reading = True
    run(memory, metrics)
    assert rows(memory) == calm_rows(events)
    assert registry.get_sample_value("featurizer_broker_failures_total") == 1


def test_deadline_ends_reading_back_and_says_so(
    metrics: FeaturizerMetrics, registry: CollectorRegistry
) -> None:
    """With the newest records read and time over, rows go on, with the coverage they have.

    The memory gives one span only: what is further back takes too long.
    """
    events = [tick(START + k * SECOND // 20) for k in range(6_000)]
    memory = Memory(values(events), batch=6_000)
    memory.committed = 5_999
    session(memory, metrics).step()
    assert registry.get_sample_value("featurizer_rebuilds_incomplete_total") == 1
    coverage = registry.get_sample_value("featurizer_coverage_ratio", {"product": "BTC-USD"})
    assert coverage == 205 / 300


def test_revoked_partition_is_forgotten_and_rebuilt_when_it_comes_back(
    metrics: FeaturizerMetrics,
) -> None:
    """After a rebalance that takes the partition and gives it back, bits are the same."""
    events = market(seed=6, steps=400)
    memory = Memory(values(events), batch=150)
    here = session(memory, metrics)
    here.step()
    memory.moved = [(memory.revoked, [HERE]), (memory.assigned, [HERE])]
    while memory.committed < len(events):
        here.step()
    assert rows(memory) == calm_rows(events)


def test_readiness_follows_the_session(metrics: FeaturizerMetrics) -> None:
    """Ready once the first poll is through, also without a partition; not after the end."""
    memory, stop = Memory([]), Stop()
    featurizer = worker(memory, metrics, stop)
    seen: list[Mapping[str, bool]] = [featurizer.ready()]

    def drained() -> None:
        seen.append(featurizer.ready())
        if len(seen) == 3:
            stop.request()

    memory.on_drained = drained
    featurizer.run()
    seen.append(featurizer.ready())
    assert [[name for name, there in ready.items() if not there] for ready in seen] == [
        ["kafka", "state"],
        ["state"],
        [],
        ["kafka", "state", "running"],
    ]


def test_stop_finishes_the_batch(metrics: FeaturizerMetrics) -> None:
    """A stop that is wished for in the middle of a batch comes after its commit."""
    memory, stop = Memory(values([tick(START), tick(START + 1)])), Stop()
    beats: list[int] = []

    def beat() -> None:
        beats.append(memory.committed)
        stop.request()

    worker(memory, metrics, stop, beat).run()
    assert beats == [2]
    assert memory.steps[-3:] == ["commit", "close", "close"]


def test_what_closes_is_published_before_its_row_and_then_committed(
    metrics: FeaturizerMetrics, registry: CollectorRegistry
) -> None:
    """Minute, then the row that closed it, in its trace; flushed before the commit."""
    events = [tick((START // SECOND // 60 * 60 + k) * SECOND) for k in (58, 59, 60)]
    memory = Memory(values(events))
    session(memory, metrics).step()
    assert [topic for topic, _, _, _ in memory.sent] == [
        "features",
        "features",
        "minutes",
        "features",
    ]
    assert memory.steps[-2:] == ["flush", "commit"]
    [(_, key, value, headers)] = memory.on("minutes")
    assert (key, decode_minute(value).n, headers) == ("BTC-USD", 1, {"traceparent": TRACE})
    product = {"product": "BTC-USD"}
    blind = registry.get_sample_value("featurizer_level_status", {**product, "status": "blind"})
    assert blind == 1
    assert math.isnan(registry.get_sample_value("featurizer_level_ratio", product) or 0)
    assert (registry.get_sample_value("featurizer_level_wait_seconds", product) or 0) > 3_600


def closed_in_a_calm_run(events: Sequence[Event]) -> set[bytes]:
    """The records of all that closes in a run without failures."""
    found: list[bytes] = []
    engine = FeatureEngine(closed=lambda record: found.append(encode_closed(record)))
    for event in events:
        engine.update(event)
    return set(found)


@pytest.mark.parametrize("lost", [False, True], ids=["committed", "between flush and commit"])
def test_restart_after_every_batch_closes_what_a_calm_run_closes(
    metrics: FeaturizerMetrics, lost: bool
) -> None:
    """With equal bytes, also where each second batch is published and not committed."""
    events = market(seed=3, steps=900)
    memory, turn = Memory(values(events), batch=90), 0
    while memory.committed < len(events):
        before, turn = memory.committed, turn + 1
        session(memory, metrics).step()
        if lost and turn % 2:
            memory.committed = before
    closed = [*memory.on("minutes"), *memory.on("levels")]
    assert {value for _, _, value, _ in closed} == closed_in_a_calm_run(events)
    assert (len(closed) > len(closed_in_a_calm_run(events))) == lost


def test_the_page_of_levels_has_what_this_replica_has(metrics: FeaturizerMetrics) -> None:
    """A product is on it from its first event on, also after a restart, until it moves away."""
    memory, board = Memory(values([tick(START)])), Board()
    for _ in range(2):
        outbox = Outbox(lambda: memory, Stop().wait)
        here = Session(memory.join, lambda: memory, outbox, metrics, 60.0, board=board)
        here.step()
        assert b'"BTC-USD": {"feed": "f"' in (board.page("/levels") or (0, "", b""))[2]
    memory.moved = [(memory.revoked, [HERE])]
    here.step()
    assert board.page("/levels") == (200, "application/json", b"{}")
