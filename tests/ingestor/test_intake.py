"""What each thing received becomes: events, ledger lines and dead letters."""

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from featurizer.engine import FeatureEngine
from featurizer.labels import MidLog
from ingestor import dead_letter, ledger, tick
from ingestor.intake import Intake, Item, Opened, Received, Silent
from ingestor.metrics import Metrics
from plumbing.kafka import Outgoing
from plumbing.kafka.outbox import ignored
from plumbing.tracing.otel import Recorder
from plumbing.tracing.trace import UNTRACED, Tracer
from tests.ingestor.wire import BTC, ETH, Wire, picture, us

NOW = us(100)


class Desk:
    """An intake with what it has sent, topic by topic."""

    def __init__(self, *products: str, tracer: Tracer = UNTRACED) -> None:
        self.registry = CollectorRegistry()
        self.intake = Intake(products, Metrics(self.registry, products), tracer)
        self.sent: list[Outgoing] = []

    def take(self, *items: Item | bytes) -> "Desk":
        for item in items:
            received = Received(item, NOW) if isinstance(item, bytes) else item
            self.sent += self.intake.records(received)
        return self

    def of(self, topic: str) -> list[bytes]:
        return [record.value for record in self.sent if record.topic == topic]

    @property
    def picture(self) -> str:
        return picture(map(tick.decode, self.of("ticks")))

    @property
    def ledger(self) -> list[ledger.FeedEvent]:
        return list(map(ledger.decode, self.of("feed-events")))

    def count(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


def test_ticks_carry_feed_times_and_trace() -> None:
    """A frame becomes a Tick under its product's key, named by the feed."""
    desk = Desk(BTC).take(Opened("sim-7", NOW), Wire().ticker(0.2))
    record = desk.sent[-2]
    event = tick.decode(record.value)
    assert isinstance(event, tick.Tick)
    assert (record.topic, record.key, event.feed) == ("ticks", BTC, "sim-7")
    assert (event.time_us, event.received_us, event.sequence) == (us(0.2), NOW, 0)
    assert record.headers == {}, "nobody records a trace, so none is begun"


def test_the_ticks_of_a_frame_belong_to_one_trace() -> None:
    """Where a collector is named; what comes to no prediction begins no trace."""
    tracer, wire = Recorder("ingestor", InMemorySpanExporter()), Wire()
    desk = Desk(BTC, ETH, tracer=tracer).take(Opened("sim-7", NOW), wire.ticker(0.2, BTC, ETH))
    ticks = [record.headers for record in desk.sent if record.topic == "ticks"]
    assert len(ticks) == 4 and len({headers["traceparent"] for headers in ticks}) == 1
    first = len(desk.sent)
    desk.take(wire.heartbeat(1.9), wire.heartbeat(3.9))
    assert len(desk.sent) > first and not any(record.headers for record in desk.sent[first:])
    tracer.close()


def test_a_quote_that_holds_a_place_distorts_no_row_and_no_label() -> None:
    """It is a dead letter; rows and labels around it are those of a quiet market."""
    wire, desk = Wire(), Desk(BTC).take(Opened("sim-7", NOW))
    for second in range(500):
        quote = (0.01, 1e6) if second == 300 else (67_000.0, 67_001.0 + second % 2)
        desk.take(wire.ticker(second + 0.2, bid=quote[0], ask=quote[1]))
    [letter] = map(dead_letter.decode, desk.of("dead-letters"))
    assert "a halted book" in letter.reason
    engine, log = FeatureEngine(), MidLog()
    rows, labels = [], []
    for event in map(tick.decode, desk.of("ticks")):
        log.update(event)
        rows += [row] if (row := engine.update(event)) is not None else []
    for row in rows:
        labels += [label] if (label := log.label(row.time_us, row.mid)) is not None else []
    volatilities = [row.features["realized_volatility_300s"] for row in rows]
    known = [each for each in volatilities if each is not None]
    assert len(known) > 350 and max(known) < 1e-3
    found = [label.volatility for label in labels if label.volatility is not None]
    assert len(found) > 300 and max(found) < 1e-3


def test_a_break_stands_alone_and_in_the_ledger() -> None:
    """A Break is marked so that nothing overtakes it; its line says from where to where."""
    wire = Wire()
    desk = Desk(BTC).take(Opened("coinbase", NOW), wire.ticker(0.2))
    wire.lose()
    desk.take(wire.ticker(3.4))
    assert [r.alone for r in desk.sent if r.topic == "ticks"] == [True, False, True, False]
    assert desk.ledger[2] == ledger.FeedEvent(
        kind="break",
        feed="coinbase",
        at_us=NOW,
        reason="sequence",
        product_id=BTC,
        from_us=us(0.2),
        to_us=us(3.4),
    )


def test_connections_in_the_ledger() -> None:
    """The first is connected, the next is reconnected with the reason why the last ended."""
    desk = Desk(BTC).take(
        Silent(NOW, 0, "cannot be reached: away"),
        Opened("coinbase", NOW),
        Silent(NOW, 15),
        Opened("coinbase", NOW, "silent"),
    )
    assert [(line.kind, line.reason) for line in desk.ledger] == [
        ("silent", "cannot be reached: away"),
        ("connected", None),
        ("silent", "no frame for 15 s"),
        ("reconnected", "silent"),
    ]


def test_a_reconnect_breaks_what_had_data() -> None:
    """The new connection begins with a Break that says so, and numbers start afresh."""
    desk = Desk(BTC).take(Opened("coinbase", NOW), Wire().ticker(0.2))
    desk.take(Opened("coinbase", NOW, "closed"), Wire().ticker(1.4))
    assert desk.picture == "!start@0.2 T0.2 !reconnect@1.4 T1.4"


def test_another_feed_starts_afresh() -> None:
    """Event time may run backwards between feeds: nothing of the one before counts."""
    desk = Desk(BTC).take(Opened("sim-1", NOW), Wire().ticker(50.5))
    desk.take(Opened("sim-2", NOW, "end_of_recording"), Wire().ticker(0.5), Wire().heartbeat(3))
    assert desk.picture == "!start@50.5 T50.5 !start@0.5 T0.5 b1"


def test_a_refused_frame_is_a_dead_letter() -> None:
    """The letter names found and expected and holds the frame; ticks go on."""
    wire = Wire()
    crossed = wire.ticker(0.2, bid=102)
    desk = Desk(BTC).take(Opened("coinbase", NOW), crossed, wire.ticker(0.4))
    [letter] = map(dead_letter.decode, desk.of("dead-letters"))
    assert letter.reason == "ticker: best_ask 101.0 found, expected at least best_bid 102.0"
    assert (letter.raw.encode(), letter.product_id) == (crossed, BTC)
    assert desk.picture == "!start@0.2 T0.4"
    assert desk.count("ingestor_dead_letters_total", reason="ticker") == 1


def test_a_huge_refused_frame_is_cut() -> None:
    """A letter never grows beyond what a topic takes, and keeps the true length."""
    desk = Desk(BTC).take(Opened("coinbase", NOW), b"\x00" * 5_000_000)
    [value] = desk.of("dead-letters")
    assert len(value) < 900_000
    assert dead_letter.decode(value).raw_bytes == 5_000_000


def test_metrics_by_product() -> None:
    """Ticks, Beats and Breaks are counted by product; one that nobody asked for is other."""
    wire = Wire()
    frames = [wire.ticker(0.2, BTC, ETH), wire.ticker(2.2), wire.heartbeat(2.3)]
    desk = Desk(BTC).take(Opened("coinbase", NOW), *frames)
    assert desk.count("ingestor_ticks_total", product=BTC) == 2
    assert desk.count("ingestor_beats_total", product=BTC) == 1
    assert desk.count("ingestor_breaks_total", product=BTC, reason="start") == 1
    assert desk.count("ingestor_ticks_total", product="other") == 1
    assert desk.count("ingestor_frames_total", kind="ticker") == 2
    assert desk.count("ingestor_last_tick_age_seconds", product=BTC) is not None


def test_a_frame_with_ticks_is_told_once() -> None:
    """Once its last record is acknowledged; those of silent seconds alone have no latency."""
    wire = Wire()
    desk = Desk(BTC, ETH).take(Opened("sim-7", NOW), wire.ticker(0.2, BTC, ETH))
    desk.take(wire.heartbeat(1.9), wire.heartbeat(3.9))
    ticks = [record for record in desk.sent if record.topic == "ticks"]
    assert desk.picture == "!start@0.2 T0.2 b1"
    told = [record for record in ticks if record.acknowledged is not ignored]
    assert told == [ticks[3]]
    told[0].acknowledged(NOW + 250_000)
    stage = "received_to_published"
    assert desk.count("ingestor_stage_duration_seconds_count", stage=stage) == 1
    assert desk.count("ingestor_stage_duration_seconds_sum", stage=stage) == 0.25


def test_a_clock_of_ours_that_is_behind_stops_no_tick() -> None:
    """The skew is shown; nothing is refused."""
    wire = Wire()
    frames = [wire.ticker(100 + 90), wire.heartbeat(191), wire.ticker(192)]
    desk = Desk(BTC).take(Opened("coinbase", NOW), *frames)
    assert desk.picture == "!start@190 T190 b191 T192"
    assert desk.of("dead-letters") == []
    assert desk.count("ingestor_clock_skew_seconds") == 91.0


def test_one_time_far_ahead_is_a_letter() -> None:
    """What else the feed says goes on, with no Break for its number."""
    wire = Wire()
    frames = [wire.ticker(1), wire.ticker(9_999), wire.heartbeat(2), wire.ticker(2.5)]
    desk = Desk(BTC).take(Opened("coinbase", NOW), *frames)
    assert desk.picture == "!start@1 T1 T2.5"
    [letter] = map(dead_letter.decode, desk.of("dead-letters"))
    assert "ahead of the receive clock" in letter.reason


def test_a_halt_is_a_line_of_the_ledger() -> None:
    """It begins and ends, by product, with the exchange's word."""
    wire, desk = Wire(), Desk(BTC).take(Opened("coinbase", NOW))
    for word in ("cancel_only", "online"):
        desk.take(wire.frame("status", 1, {"products": [{"id": BTC, "status": word}]}))
    lines = [(e.kind, e.product_id, e.reason) for e in desk.ledger if e.kind != "connected"]
    told = [line for line in lines if line[0] in ("halted", "trading")]
    assert told == [("halted", BTC, "cancel_only"), ("trading", BTC, None)]


def test_a_product_asked_for_as_usdc_is_counted_as_its_usd() -> None:
    """One product under both names, not ``other``."""
    desk = Desk("BTC-USDC").take(Opened("coinbase", NOW), Wire().ticker(0.2))
    assert desk.count("ingestor_ticks_total", product="BTC-USD") == 1.0


def test_what_waits_at_the_end_is_a_letter() -> None:
    """Nothing that came is forgotten when the service ends."""
    wire = Wire()
    desk = Desk(BTC).take(Opened("coinbase", NOW), wire.ticker(1), wire.ticker(9_999))
    assert desk.of("dead-letters") == []
    desk.sent += desk.intake.close()
    [letter] = map(dead_letter.decode, desk.of("dead-letters"))
    assert letter.reason.startswith("ticker: a time")
