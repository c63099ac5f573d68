"""Where ticks must be read from, found by content."""

from itertools import count

import pytest

from ingestor.tick import Event, Tick
from monitor.join import Joiner
from monitor.reading import Reopened, read, start_for
from plumbing.kafka import Record
from tests.featurizer.market import START, market, tick
from tests.monitor.test_follow import bits, calm
from tests.monitor.world import SECOND, Log, LogReader, predicted, predictions_of


def at(second: float, **more: object) -> Tick:
    """A Tick so many seconds after the start."""
    return tick(START + int(second * SECOND), **more)


def start(events: list[Event], *ticks: Tick) -> int | None:
    """Where reading must start for the predictions of these ticks."""
    newest_first = list(enumerate(events))[::-1]
    return start_for(iter(newest_first), [predicted(one) for one in ticks])


def test_starts_at_the_second_before_the_prediction() -> None:
    """The oldest one decides."""
    events: list[Event] = [at(second) for second in range(50)]
    assert start(events, at(30), at(20)) == 19


def test_stops_at_another_feed() -> None:
    """What came before the feed is not part of its state."""
    events: list[Event] = [*[at(n, feed="g") for n in range(9)], *[at(n) for n in range(9)]]
    assert start(events, at(0)) == 9


def test_finds_a_prediction_behind_another_feed() -> None:
    """A replay in between does not hide what waits from before it."""
    live = [at(second) for second in range(10)]
    replay = [at(second, feed="g") for second in range(10)]
    later = [at(second) for second in range(20, 30)]
    assert start([*live, *replay, *later], live[5]) == 4


def test_repeats_do_not_end_the_search() -> None:
    """Old ticks sent again stand later than what they repeat."""
    events: list[Event] = [at(second) for second in range(50)]
    repeated = [*events[:45], *events[28:31], *events[45:]]
    assert start(repeated, at(30)) == 29


def test_other_products_do_not_matter() -> None:
    """A partition holds several products."""
    mine, other = at(30), [at(n / 10, product_id="ETH-USD") for n in range(500)]
    assert start([at(29), mine, *other], mine) == 0


def test_missing_tick_gives_no_position() -> None:
    """Retention may have taken it."""
    assert start([at(second) for second in range(50)], at(99)) is None


def test_search_ends_where_ticks_were_received_long_before() -> None:
    """A tick that is gone does not cost reading the whole topic."""
    met: list[int] = []

    def events() -> object:
        for offset in range(100_000, 0, -1):
            met.append(offset)
            yield offset, at(offset)

    gone = predicted(at(90_000, feed="gone"))
    assert start_for(events(), [gone]) is None  # type: ignore[arg-type]
    assert len(met) < 15_000


def test_reading_from_there_settles_as_reading_all() -> None:
    """From wherever predictions are read again, their outcomes have the same bits."""
    events = [e for e in market(3, 1_000, feeds=("f",)) if e.product_id == "BTC-USD"]
    predictions = predictions_of(events)
    expected = calm(events, predictions)
    for cut in range(0, len(predictions) - 30, 2):
        waiting = predictions[cut:]
        joiner = Joiner(history=10**6)
        for prediction in waiting:
            joiner.add(prediction)
        first = start_for(iter(list(enumerate(events))[::-1]), waiting)
        told = bits(m.outcome for event in events[first:] for m in joiner.update(event))
        assert told.items() <= expected.items(), f"read again from prediction {cut}"


class Halting(LogReader):
    """Gives nothing from an offset on: the broker is away, or the last offsets hold no records."""

    def __init__(self, log: Log, at: int, passes_to: int | None = None) -> None:
        super().__init__(log)
        self._at, self._passes_to = at, passes_to

    def poll(self, timeout: float) -> list[Record]:
        found = [record for record in super().poll(timeout) if record.offset < self._at]
        (partition,) = self._next
        if self._next[partition] >= self._at:
            self._next[partition] = self._passes_to or self._at
        return found


def ten_ticks() -> Log:
    """A log with ten ticks of one product."""
    log = Log()
    for second in range(10):
        log.event(at(second))
    return log


def test_a_part_of_a_range_is_never_taken_for_all() -> None:
    """A broker that falls silent on the way is an error, which says where."""
    log, times = ten_ticks(), count()
    place = next(partition for partition, kept in log.records.items() if kept)
    with pytest.raises(TimeoutError, match=r"at offset 6 for 10 s, expected records up to 10"):
        read(Halting(log, 6), place, 0, 10, clock=lambda: float(next(times)))
    assert [r.offset for r in read(LogReader(log), place, 2, 9)] == list(range(2, 9))


def test_a_range_whose_last_offsets_hold_no_record_ends() -> None:
    """The position passes them, as after a compaction."""
    log = ten_ticks()
    place = next(partition for partition, kept in log.records.items() if kept)
    assert len(read(Halting(log, 6, passes_to=10), place, 0, 10)) == 6


def test_reader_is_opened_anew_after_a_failure() -> None:
    """One lost connection does not end the queries."""
    opened: list[LogReader] = []

    def open_reader() -> LogReader:
        opened.append(LogReader(Log()))
        return opened[-1]

    held = Reopened(open_reader)
    for _ in range(2):
        with held as reader:
            assert reader is opened[0]
    try:
        with held:
            raise OSError("connection lost")
    except OSError:
        assert opened[0].closed
    with held as reader:
        assert reader is opened[1]
    held.close()
    assert opened[1].closed
