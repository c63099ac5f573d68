"""Shards made apart give the rows of the whole stream, to the bit."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurizer.engine import FeatureEngine
from featurizer.level.levels import Levels
from featurizer.level.seeds import default_seeds
from featurizer.row import encode as encode_row
from ingestor.tick import Beat, Break, Event, Tick, encode
from tests.training.labeller import LabelledRow, Labeller
from training.data.shards import END, Shard, ShardWriter

SECOND = 1_000_000
MakeTick = Callable[..., Tick]


def stream(seed: int, seconds: int, start: int = 0) -> list[Event]:
    """Return ticks, beats, breaks, gaps, late and repeated ticks of one product."""
    chance = random.Random(seed)
    mid, at, events = 100.0, start * SECOND, list[Event]()
    while at < (start + seconds) * SECOND:
        at += chance.choice((50_000, 300_000, 700_000, 2_000_000 if chance.random() < 0.1 else 1))
        mid *= 1 + chance.gauss(0, 1e-4)
        events.append(a_tick(at, mid, chance.random()))
        draw = chance.random()
        if draw < 0.02:
            events.append(events[-1])
        elif draw < 0.04:
            events.append(a_tick(max(0, at - chance.randrange(1, 400_000_000)), mid, 0.5))
        elif draw < 0.06:
            events.append(a_break(at))
        elif draw < 0.0605:
            at += chance.randrange(1, 400) * SECOND
        elif draw < 0.3:
            at = (at // SECOND + 1) * SECOND + SECOND - 1
            events.append(a_beat(at, mid))
    return events


def a_tick(at: int, mid: float, size: float, feed: str = "f") -> Tick:
    """Make a Tick."""
    return Tick(
        feed=feed,
        product_id="A",
        dialect="advanced",
        time_us=at,
        received_us=0,
        price=mid,
        bid=mid - 0.01,
        ask=mid + 0.01,
        bid_size=size,
        ask_size=1.0,
    )


def a_beat(at: int, mid: float) -> Beat:
    """Make a Beat."""
    return Beat(
        feed="f",
        product_id="A",
        dialect="advanced",
        time_us=at,
        received_us=0,
        bid=mid - 0.01,
        ask=mid + 0.01,
    )


def a_break(at: int) -> Break:
    """Make a Break."""
    return Break(
        feed="f",
        product_id="A",
        dialect="advanced",
        time_us=at,
        received_us=0,
        reason="sequence",
    )


def cut(
    events: Sequence[Event], folder: Path, length_s: int, span: tuple[int, int] = (0, END)
) -> list[Shard]:
    """Cut a stream into shards."""
    writer = ShardWriter(folder, span, length_s * SECOND)
    for event in events:
        writer.take(event, encode(event))
    return writer.finish()


def apart(shards: Sequence[Shard]) -> tuple[list[LabelledRow], dict[str, int]]:
    """Label each shard by itself; give all rows and the sum of the counts."""
    rows, counts = list[LabelledRow](), dict[str, int]()
    for shard in shards:
        labeller = Labeller(shard.start_us, shard.end_us, shard.state)
        rows += labeller.rows(shard.read())
        for name, n in labeller.counts.items():
            counts[name] = counts.get(name, 0) + n
    return rows, counts


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), length_s=st.integers(302, 450))
@pytest.mark.exhaustive
def test_shards_give_the_rows_of_the_whole(
    seed: int, length_s: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Rows, labels and counts are equal wherever the stream is cut."""
    events = stream(seed, 1_000)
    whole = Labeller()
    rows = list(whole.rows(events))
    shards = cut(events, tmp_path_factory.mktemp("cut"), length_s)
    found, counts = apart(shards)
    assert len(shards) > 2
    assert found == rows
    assert counts == whole.counts


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), start=st.integers(0, 900), length=st.integers(1, 900))
def test_a_span_gives_its_rows_of_the_whole(
    seed: int, start: int, length: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A span cut out of the stream has the features and labels that stood there."""
    events = stream(seed, 1_500)
    span = (start * SECOND, (start + length) * SECOND)
    rows = [r for r in Labeller().rows(events) if span[0] <= r.row.time_us < span[1]]
    found, _ = apart(cut(events, tmp_path_factory.mktemp("cut"), 500, span))
    assert found == rows


def test_another_feed_begins_anew(tmp_path: Path) -> None:
    """A replay between two live periods is cut off on both sides."""
    live = [a_tick(k * SECOND, 100, 0.5) for k in range(500)]
    replay = [a_tick(k * SECOND, 100, 0.5, feed="replay") for k in range(20)]
    again = [a_tick(k * SECOND, 100, 0.5) for k in range(600, 700)]
    shards = cut([*live, *replay, *again], tmp_path, 86_400)
    assert [(s.feed, s.events) for s in shards] == [("f", 500), ("f", 100), ("replay", 20)]


def test_rows_are_the_engines(tmp_path: Path) -> None:
    """Each labelled row is the FeatureRow that the service makes at that Tick, bit by bit."""
    events = stream(7, 1_500)
    engine = FeatureEngine(Levels(default_seeds()))
    made = {row.time_us: row for row in map(engine.update, events) if row is not None}
    last = {row.second: row for row in made.values()}
    found, _ = apart(cut(events, tmp_path, 400))
    assert [r.row for r in found] == list(last.values())
    assert [encode_row(r.row) for r in found] == [encode_row(row) for row in last.values()]
    whole = Labeller()
    list(whole.rows(events))
    counts = {k.removeprefix("events_"): n for k, n in whole.counts.items() if "events" in k}
    assert counts == {taken.value: n for taken, n in engine.counts.items()}


def test_a_shard_shorter_than_the_look_back_is_refused(tmp_path: Path) -> None:
    """A length that a look-back would reach across is an error of the caller."""
    with pytest.raises(ValueError, match="expected whole seconds, 302 or more"):
        ShardWriter(tmp_path, length_us=300 * SECOND)
