"""A restart anywhere, a replay and a batch have equal levels, to the bit."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurizer.engine import FeatureEngine
from featurizer.level.records import Closed
from featurizer.level.seeds import Seed, Seeds
from ingestor.tick import Event
from tests.featurizer.level.world import DAY, FIRST, World, played, quotes, run_of
from tests.featurizer.market import SECOND, break_at, market

State = tuple[object, ...]
NIGHT = FIRST // DAY * DAY + DAY


def with_breaks(events: list[Event], every: int) -> Iterator[Event]:
    """A Break after every so many events."""
    for number, event in enumerate(events):
        yield event
        if number % every == every - 1:
            yield break_at(event.time_us, product_id=event.product_id, feed=event.feed)


@pytest.fixture(scope="module")
def long() -> World:
    """Two days of a quote a second but for holes, through a midnight, with Breaks between."""
    events = [
        *quotes(NIGHT - 3 * 3_600 - 77, NIGHT + 7_000),
        *quotes(NIGHT + 9_000, NIGHT + 45_000, seed=2),
        *quotes(NIGHT + 60_000, NIGHT + DAY + 9_000, seed=3),
    ]
    return World(list(with_breaks(events, 5_003)))


@pytest.fixture(scope="module")
def calm(long: World) -> dict[int, State]:
    """The state of a run without a restart, by position, around borders and in between."""
    engine, found = long.begun(), dict[int, State]()
    ends = [k for k, e in enumerate(long.events) if e.time_us // SECOND % 600 in (0, 599)]
    wanted = {*range(9_000, len(long.events), 6_007), *ends[8::40], *ends[9::40], len(long.events)}
    for position, event in enumerate(long.events, 1):
        engine.update(event)
        if position in wanted:
            found[position] = run_of(engine).state()
    return found


@pytest.mark.timeout(600)
@pytest.mark.exhaustive
def test_a_restart_gives_the_level_of_a_calm_run(long: World, calm: dict[int, State]) -> None:
    """Though the topics have all that came later, as between flush and commit, and for days."""
    assert len(calm) > 30
    statuses = set()
    for position, state in calm.items():
        run = run_of(long.restarted(position))
        assert run.state() == state, f"restart at {position}"
        statuses.add(run.level.status)
    assert statuses == {"blind", "provisional", "established"}


def test_reading_back_is_short(long: World) -> None:
    """Of 190,000 ticks few are read, and of records what a week has."""
    long.reads = 0
    long.restarted(len(long.events))
    assert long.reads < 4_096 + 3 * 1_500 + 400


@pytest.mark.exhaustive
def test_a_restart_in_a_stormy_market_gives_the_state_of_a_calm_run() -> None:
    """At every fifth event, with what is published by a batch that is not committed.

    The first tick is no longer kept, so that a run's beginning is known by its records alone.
    """
    events = market(seed=9, steps=600, feeds=("first",))
    world = World(events, kept=1)
    calm = [states(engine) for engine in each(world, events)]
    seen = [run_of(world.restarted(len(events)), p).run_us for p in ("BTC-USD", "ETH-USD")]
    assert seen == [
        run.run_us for p in ("BTC-USD", "ETH-USD") for run in [run_of(played(events), p)]
    ]
    for position in range(300, len(events), 5):
        found = states(world.restarted(position))
        assert found == calm[position - 1], f"restart at {position}"


def each(world: World, events: list[Event]) -> Iterator[FeatureEngine]:
    """One engine, after each event."""
    engine = world.begun()
    for event in events:
        engine.update(event)
        yield engine


def states(engine: FeatureEngine) -> list[State]:
    """What is known of both products."""
    found = [engine.levels.of(name) for name in ("BTC-USD", "ETH-USD")]
    return [run.state() for run in found if run is not None]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
@pytest.mark.exhaustive
def test_any_number_of_crashes_gives_the_records_of_a_calm_run(seed: int) -> None:
    """Each takes a batch, publishes it, and dies before it commits some of the time.

    What is in the topics is the calm run's records, some of them twice, and all states agree.
    """
    random_, events = Random(seed), market(seed, steps=500)
    closed: list[Closed] = []
    calm = FeatureEngine(closed=closed.append)
    for event in events:
        calm.update(event)
    world, position = World(events), 0
    while position < len(events):
        end = min(len(events), position + random_.randint(1, 200))
        engine = world.restarted(position)
        world.play(engine, position, end)
        position = end if random_.random() < 0.5 else position
    assert states(engine if position == end else world.restarted(position)) == states(calm)
    published = [*world.logs["minutes"], *world.logs["levels"]]
    assert {repr(record) for record in published} == {repr(record) for record in closed}


def test_a_replay_has_the_levels_of_the_first_time() -> None:
    """Another feed of the same events gives the same records but for their feed."""
    once, again = (closed_of(quotes(NIGHT, NIGHT + 5_000, feed=feed)) for feed in ("a", "b"))
    assert once == again and len(once) == 83 + 8


def closed_of(events: list[Event]) -> list[tuple[object, ...]]:
    """What these events close, without the feed."""
    found: list[Closed] = []
    engine = FeatureEngine(closed=found.append)
    for event in events:
        engine.update(event)
    return [(type(r), r.run_us, r.start_us, r.cells, getattr(r, "squares", None)) for r in found]


@pytest.mark.exhaustive
def test_a_replay_in_the_middle_of_a_live_feed() -> None:
    """Whoever restarts in it, or after it, has the run of then; the live feed begins anew."""
    live, later = NIGHT, NIGHT + 12_000
    events = [
        *quotes(live, live + 5_000, feed="coinbase"),
        *quotes(live - 40 * DAY, live - 40 * DAY + 5_000, feed="replay@1"),
        *quotes(later, later + 5_000, feed="coinbase"),
    ]
    world, engine = World(events, kept=1), FeatureEngine()
    engine, calm = world.begun(), list[State]()
    for event in events:
        engine.update(event)
        calm.append(run_of(engine).state())
    for position in (4_990, 5_010, 9_990, 10_010, 10_700, 14_990, 15_000):
        assert run_of(world.restarted(position)).state() == calm[position - 1], position
    run = run_of(world.restarted(10_010))
    assert (run.feed, run.run_us // SECOND, run.level.status) == ("coinbase", later, "blind")


@pytest.mark.exhaustive
def test_a_product_is_blind_then_provisional_then_established_through_restarts() -> None:
    """A restart every 37 minutes; the countdown runs on, and the records are a calm run's."""
    events = quotes(NIGHT, NIGHT + 30_100)
    world, calm = World(events), World(events)
    calm.play(calm.begun(), 0, len(events))
    seen: dict[str, int] = {}
    waits: list[int | None] = []
    for first in range(0, len(events), 2_220):
        engine = world.restarted(first)
        for event in events[first : first + 2_220]:
            engine.update(event)
            run = run_of(engine)
            seen.setdefault(run.level.status, run.second - NIGHT)
        waits.append(run_of(engine).wait())
    assert seen == {"blind": 0, "provisional": 4_200, "established": 49 * 600}
    assert waits[:2] == [4_200 - 2_219, 0]
    assert world.logs == calm.logs


def test_a_product_that_fell_silent_is_found_behind_the_others() -> None:
    """Its last quote is an hour of another product's back, and its level goes on."""
    events = [*quotes(NIGHT, NIGHT + 4_400), *quotes(NIGHT, NIGHT + 9_000, product="Q")]
    world = World(events, kept=1)
    engine = world.begun()
    world.play(engine, 0, len(events))
    state = run_of(engine).state()
    assert run_of(engine).level.status == "provisional"
    assert run_of(world.restarted(len(events))).state() == state


def test_a_restart_after_an_upgrade_begins_a_run_that_later_ones_find() -> None:
    """Topics without a record: what was read back counts from the minute under way on."""
    events = quotes(NIGHT, NIGHT + 20_000)
    world = World(events, kept=1)
    engine = world.restarted(10_000)
    assert run_of(engine).run_us // SECOND - NIGHT == 9_999 // 60 * 60 - 302
    for position in range(10_000, 16_000, 411):
        world.play(engine, position, position + 411)
        assert run_of(world.restarted(position + 411)).state() == run_of(engine).state()


def test_a_seeded_product_is_seeded_again() -> None:
    """The seed is no state: it is found by the feed of the ticks read back."""
    seeds = Seeds([Seed(product="P", tau=5e-4, source="", days=1)])
    world = World(quotes(NIGHT, NIGHT + 1_000), kept=1, seeds=seeds)
    world.play(world.begun(), 0, 1_000)
    assert run_of(world.restarted(900)).level.status == "seeded"
