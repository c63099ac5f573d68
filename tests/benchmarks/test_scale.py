"""The market of all products is seeded, bursts, and its lag is that of a queue."""

from benchmarks.scale import BURST, BUSIEST, LEAST, START, lags, market, measure, rates, table
from ingestor.tick import Tick, decode


def test_rates_fall_off_by_rank() -> None:
    """The first is the busiest, and none rests for ever."""
    found = rates(400)
    assert found[0] == BUSIEST and found == sorted(found, reverse=True)
    assert found[-1] == LEAST


def test_the_market_is_the_same_each_time_and_bursts() -> None:
    """Ticks of a second are in order, and those of its first ten seconds are many more."""
    seconds = [*market(20, 60)]
    assert seconds == [*market(20, 60)]
    events = [decode(line) for second in seconds for line in second]
    assert [e.time_us for e in events] == sorted(e.time_us for e in events)
    assert {event.product_id for event in events[: len(seconds[0])]} == {
        f"P{k}-USD" for k in range(20)
    }
    ticks = [e.time_us // 1_000_000 - START for e in events if isinstance(e, Tick)]
    burst, usual = sum(at < 10 for at in ticks) / 10, sum(at >= 10 for at in ticks) / 50
    assert 0.6 * BURST < burst / usual < 1.4 * BURST


def test_what_is_left_over_waits() -> None:
    """A second of 1.5 seconds' work is behind until quieter ones make up for it."""
    assert [*lags([0.5, 1.5, 0.75, 0.5])] == [0.0, 0.5, 0.25, 0.0]


def test_every_tick_has_its_row() -> None:
    """And of silent seconds one in ten."""
    found = measure(5, 70)
    events = [decode(line) for second in market(5, 70) for line in second]
    assert found["events"] == len(events)
    giving = [e for e in events if isinstance(e, Tick) or e.time_us // 1_000_000 % 10 == 0]
    assert found["rows"] == len(giving)
    assert table([found]).rows[0][0] == "5"
