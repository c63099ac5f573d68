"""Reading back: a restart anywhere equals no restart, and no more is read than is needed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurizer.engine import FeatureEngine
from featurizer.level.records import Closed
from featurizer.rebuild import FURTHEST_MS, OLDER, Logged, ReadBack, needs_of, restore
from featurizer.row import encode
from featurizer.span import Span
from ingestor.tick import Event
from tests.featurizer.market import SECOND, START, beat, break_at, market, tick
from tests.featurizer.recorded import events_of

CHUNK = 8  # small and never growing, so that no more is read than is wanted


@dataclass
class Log:
    """A partition in memory, and all that its stretches closed with, later ones too.

    ``beginning`` is the first offset that retention has left.
    """

    events: Sequence[Event]
    beginning: int = 0
    step_ms: int = 0
    largest: int = CHUNK
    spans: list[Span] = field(default_factory=list)

    def __post_init__(self) -> None:
        times = (1 + offset * self.step_ms for offset in range(len(self.events)))
        self._logged = [*map(Logged, times, self.events)]
        self._closed: list[Closed] = []
        whole = FeatureEngine(closed=self._closed.append)
        for event in self.events:
            whole.take(event)

    def read(self, span: Span) -> list[Logged]:
        self.spans.append(span)
        return self._logged[span.first : span.end]

    def read_back(self, position: int) -> ReadBack:
        """Read all that is wanted."""
        back = ReadBack(self.beginning, position, chunk=CHUNK, largest=self.largest)
        while back.wanted is not None:
            back.take(self.read(back.wanted))
        return back

    def restarted(self, position: int) -> FeatureEngine:
        """An engine that knows only what reading back from ``position`` gives."""
        engine, back = FeatureEngine(), self.read_back(position)
        restore(engine, back.events())
        engine.levels.resume(needs_of(engine, back), self._closed)
        return engine


def rows_of(engine: FeatureEngine, events: Sequence[Event]) -> list[bytes | None]:
    """What each event gives, as bytes."""
    return [None if row is None else encode(row) for row in map(engine.update, events)]


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """Two products, two feeds, some nine minutes each, with all that can go wrong.

    As short as may be for reading back to begin at the partition's beginning, inside either
    feed, and inside the one for a position in the other.
    """
    return market(seed=9, steps=900)


@pytest.fixture(scope="module")
def calm(events: list[Event]) -> list[bytes | None]:
    """What each event gives without a restart."""
    return rows_of(FeatureEngine(), events)


@pytest.mark.timeout(600)  # some seconds of computing
@pytest.mark.exhaustive
def test_restart_at_any_event_equals_no_restart(
    events: list[Event], calm: list[bytes | None]
) -> None:
    """At every position the rows that follow are the same bytes as in a calm run."""
    log, begins = Log(events), set()
    for position in range(len(events)):
        ahead = len(events) if position % 97 == 0 else 8
        engine = log.restarted(position)
        found = rows_of(engine, events[position : position + ahead])
        assert found == calm[position : position + ahead], f"restart at {position}"
        first = min((span.first for span in log.spans), default=0)
        begins.add((events[first].feed, events[position].feed) if first else None)
        log.spans.clear()
    assert begins == {None, ("first", "first"), ("first", "second"), ("second", "second")}


@pytest.mark.captures
def test_restart_in_a_real_capture_equals_no_restart(captures: Path) -> None:
    """The same in a sparse capture of two products on one connection."""
    events = events_of(captures / "adv_flat_btc_eth_20260404T0319_11min.ndjson.gz")
    calm, log = rows_of(FeatureEngine(), events), Log(events)
    for position in range(0, len(events), 31):
        found = rows_of(log.restarted(position), events[position : position + 15])
        assert found == calm[position : position + 15], f"restart at {position}"


@pytest.mark.exhaustive
def test_restarts_in_a_row_equal_no_restart(events: list[Event], calm: list[bytes | None]) -> None:
    """A process that dies after every seven events still gives the rows of a calm run."""
    log, found = Log(events), []
    for position in range(0, len(events), 7):
        found += rows_of(log.restarted(position), events[position : position + 7])
    assert found == calm


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), position=st.integers(0, 500))
def test_restart_in_any_market_equals_no_restart(seed: int, position: int) -> None:
    """Whatever the market and the position."""
    events = market(seed, steps=500)
    calm = rows_of(FeatureEngine(), events)[position:]
    assert rows_of(Log(events).restarted(position), events[position:]) == calm


def test_rows_are_not_made_while_restoring(events: list[Event]) -> None:
    """Restoring counts nothing, so that metrics of late ticks stay true."""
    assert not Log(events).restarted(len(events)).counts


def test_reading_ends_after_the_window(events: list[Event]) -> None:
    """Little more is read of a long calm stream than 302 s, the minute under way and the margin."""
    seconds = 4_000
    log = Log([tick(START + k * SECOND) for k in range(seconds)])
    back = log.read_back(seconds)
    first = next(iter(back.events()))
    assert 362 <= seconds - (first.time_us - START) // SECOND <= 422 + OLDER + CHUNK


def test_reading_stops_at_another_feed() -> None:
    """Nothing before the beginning of the feed is asked for, once the broker's clock allows."""
    old = [tick(START + k * SECOND, feed="old") for k in range(3_000)]
    new = [tick(START + k * SECOND, feed="new") for k in range(100)]
    log = Log([*old, *new], step_ms=1_000)
    log.read_back(3_100)
    assert 302 <= 3_100 - log.spans[-1].first <= 303 + CHUNK


def test_reading_stops_at_the_beginning_that_retention_left() -> None:
    """Offsets that are no longer there are not asked for."""
    log = Log([tick(START + k * SECOND) for k in range(200)], beginning=120)
    log.read_back(200)
    assert min(span.first for span in log.spans) == 120


def test_nothing_is_read_before_an_empty_partition() -> None:
    """A position at the beginning needs no reading."""
    assert ReadBack(beginning=5, position=5).wanted is None


def test_every_product_gets_its_own_window() -> None:
    """A quiet product is read back by its own event time, behind a neighbour's many ticks.

    offsets  0 ......... 399 | 400 ................ 2399
    ETH-USD  one a second    |
    BTC-USD                  | ten a second, 200 s
    """
    eth = [tick(START + k * SECOND, product_id="ETH-USD") for k in range(400)]
    btc = [tick(START + (400 * 10 + k) * SECOND // 10) for k in range(2_000)]
    events: list[Event] = [*eth, *btc]
    following = [tick(START + 600 * SECOND, product_id="ETH-USD")]
    calm = rows_of(FeatureEngine(), [*events, *following])[-1:]
    assert rows_of(Log(events).restarted(len(events)), following) == calm


def test_stragglers_do_not_pass_for_old_records() -> None:
    """A burst of repeated ticks, half a minute late, does not make reading end too soon.

    Seen backwards, 300 of them stand before the window's beginning and look older than it.
    """
    ticks = [tick(START + k * SECOND // 10, trade_id=k + 1) for k in range(8_000)]
    events: list[Event] = [*ticks[:4_900], *ticks[4_600:4_900], *ticks[4_900:]]
    calm = rows_of(FeatureEngine(), events)
    log = Log(events)
    for position in range(7_700, 8_300, 7):
        engine = log.restarted(position)
        found = rows_of(engine, events[position : position + 5])
        assert found == calm[position : position + 5], f"restart at {position}"


def test_a_few_very_late_ticks_do_not_pass_for_old_records() -> None:
    """Fewer than eight records, however late, do not settle a product."""
    ticks = [tick(START + k * SECOND, trade_id=k + 1) for k in range(1_000)]
    events: list[Event] = [*ticks[:700], *ticks[:7], *ticks[700:]]
    calm = rows_of(FeatureEngine(), events)
    position = 900
    found = rows_of(Log(events).restarted(position), events[position:])
    assert found == calm[position:]


def test_a_tail_of_breaks_is_read_through() -> None:
    """Breaks bear no slot: the window counts from the last Tick or Beat before them.

    BTC-USD  tick × 400 | Break × 200, one an hour | here
    """
    ticks = [tick(START + k * SECOND) for k in range(400)]
    breaks = [break_at(START + (400 + 3_600 * k) * SECOND) for k in range(200)]
    events: list[Event] = [*ticks, *breaks]
    following = [tick(START + 400 * SECOND), tick(START + 401 * SECOND)]
    calm = rows_of(FeatureEngine(), [*events, *following])[-2:]
    assert calm[0] is not None
    assert rows_of(Log(events).restarted(len(events)), following) == calm


def test_a_pending_break_is_restored() -> None:
    """A Break after the last Tick still unjoins the next second after a restart."""
    events: list[Event] = [beat(START // SECOND + k, bid=99 + k % 3) for k in range(60)]
    events.append(break_at(START + 60 * SECOND - 1))
    following = [tick(START + 60 * SECOND)]
    calm = rows_of(FeatureEngine(), [*events, *following])[-1:]
    unbroken = rows_of(FeatureEngine(), [*events[:-1], *following])[-1:]
    assert rows_of(Log(events).restarted(len(events)), following) == calm != unbroken


def test_a_product_that_never_settles_does_not_keep_reading() -> None:
    """Two hours back on the broker's clock reading ends, whatever a product still lacks."""
    ticks = [tick(START + k * SECOND, product_id="ETH-USD") for k in range(20_000)]
    log = Log([*ticks, break_at(START)], step_ms=1_000)
    back = log.read_back(20_001)
    assert back.unsettled == ["BTC-USD"]
    assert 20_001 - log.spans[-1].first <= FURTHEST_MS // 1_000 + CHUNK


def test_chunks_grow() -> None:
    """Each chunk is twice as long as the one before and ends where that one began."""
    log = Log([break_at(START) for _ in range(1_000)], largest=1_000)
    log.read_back(1_000)
    assert [span.end - span.first for span in log.spans[:3]] == [CHUNK, 2 * CHUNK, 4 * CHUNK]
    assert [span.end for span in log.spans[1:]] == [span.first for span in log.spans[:-1]]


def test_more_than_was_wanted_is_refused() -> None:
    """Records after the last wanted span are the caller's mistake."""
    back = ReadBack(beginning=0, position=0)
    with pytest.raises(ValueError, match="enough was read"):
        back.take([])
