"""A span of the topic becomes a dataset, found by content."""

from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ingestor.tick import Event, Tick, encode
from ingestor.topics import TICKS
from plumbing.kafka import KafkaSettings, Partition, Producer, Record, ensure_topics
from tests.training.labeller import Labeller
from training.commands import dataset as command
from training.config import TrainingSettings
from training.data.dataset import Dataset, assemble
from training.data.parallel import IN_PROCESS
from training.data.progress import Quiet
from training.data.sources import Refused, Source
from training.data.topic import TopicSpan, read_topic
from training.errors import DatasetError

MakeTick = Callable[..., Tick]
SECOND = 1_000_000


class Kept:
    """A topic of two partitions held in memory, given a few records at a time."""

    def __init__(self, events: Sequence[Event | bytes], stuck: bool = False) -> None:
        self.records: list[Record] = []
        self.stuck = stuck
        ends = {Partition("ticks", n): 0 for n in (0, 1)}
        for event in events:
            odd = isinstance(event, bytes) or event.product_id != "BTC-USD"
            partition = Partition("ticks", int(odd))
            value = event if isinstance(event, bytes) else encode(event)
            at = ends[partition]
            self.records.append(Record("ticks", partition.number, at, 0, "", value, {}))
            ends[partition] += 1
        self._ends = ends
        self._at = 0

    def beginnings(self) -> dict[Partition, int]:
        """Return the first offsets."""
        return dict.fromkeys(self._ends, 0)

    def ends(self) -> dict[Partition, int]:
        """Return the next offsets."""
        return self._ends

    def poll(self, timeout: float) -> list[Record]:
        """Return seven records."""
        if self.stuck:
            return []
        self._at += 7
        return self.records[self._at - 7 : self._at]

    def close(self) -> None:
        """Do nothing."""


def found(events: Sequence[Event | bytes], work: Path, **wanted: object) -> list[Source | Refused]:
    """Read a topic of these events."""
    return read_topic(Kept(events), TopicSpan(**wanted), work / "ticks", Quiet())  # type: ignore[arg-type]


def together(sources: list[Source | Refused], work: Path) -> Dataset:
    """Make a dataset of what was read."""
    return assemble(sources, lambda _: None, work, None, IN_PROCESS, Quiet(), 90.0)


def test_a_span_has_the_rows_of_the_whole(tick: MakeTick, tmp_path: Path) -> None:
    """Rows in the span look back and ahead across its ends; time need not be the broker's."""
    events = [tick(k, 100 + k % 9, product=p) for k in range(1_000) for p in ("BTC-USD", "ETH-USD")]
    span = {"from_us": 400 * SECOND, "to_us": 500 * SECOND}
    dataset = together(found([*events, b"unreadable"], tmp_path, **span), tmp_path)
    assert dataset.captures[0].usable == {"BTC-USD": 100, "ETH-USD": 100}
    whole = [r for r in Labeller().rows(events) if 400 <= r.row.second < 500]
    assert [r.label.volatility for r in whole if r.label] == dataset.table.volatility.tolist()
    assert dataset.captures[0].file == "ticks:f"
    assert dataset.counts["events_accepted"] == 200


def test_each_feed_is_a_capture(tick: MakeTick, tmp_path: Path) -> None:
    """A replay between live periods is kept apart; a holdout is never read."""
    live = [tick(k) for k in range(5_000, 5_400)]
    replay = [tick(k, feed="rec@1") for k in range(500)]
    holdout = [tick(k, feed="secret@2") for k in range(500)]
    more = [tick(k) for k in range(6_000, 6_400)]
    sources = found([*live, *replay, *holdout, *more], tmp_path, holdout=("secret",))
    dataset = together(sources, tmp_path)
    assert [(c.file, c.usable) for c in dataset.captures] == [
        ("ticks:rec@1", {"BTC-USD": 140}),
        ("ticks:f", {"BTC-USD": 80}),
    ]
    assert dataset.captures[1].counts["longest_gap_s"] == 600
    assert dict(dataset.left_out)["ticks:secret@2"].startswith("a replay of a holdout recording")


def test_one_feed_can_be_asked_for(tick: MakeTick, tmp_path: Path) -> None:
    """Only the named feed is read."""
    events = [tick(k, feed=f) for f in ("a", "b") for k in range(400)]
    assert [s.name for s in found(events, tmp_path, feeds=("b",))] == ["ticks:b"]


def test_the_same_span_has_the_same_digest(tick: MakeTick, tmp_path: Path) -> None:
    """Reading again gives the same address; another span another one."""
    events = [tick(k) for k in range(600)]
    one = together(found(events, tmp_path / "1"), tmp_path)
    two = together(found(events, tmp_path / "2"), tmp_path)
    less = together(found(events, tmp_path / "3", to_us=500 * SECOND), tmp_path)
    assert one.digest == two.digest != less.digest


def test_ticks_of_a_wall_clock_are_left_out(tick: MakeTick, tmp_path: Path) -> None:
    """A feed stamped faster than the exchange sends is refused with its place in the log."""
    events = [tick(k / 1000) for k in range(1_300)]
    (refused,) = found(events, tmp_path)
    assert isinstance(refused, Refused)
    assert "partition 0, offset 1200: found 1201 ticks" in refused.reason


def test_an_empty_span_is_refused(tick: MakeTick, tmp_path: Path) -> None:
    """Nothing in the span is an error, not an empty file."""
    sources = found([tick(k) for k in range(600)], tmp_path, from_us=900 * SECOND)
    with pytest.raises(DatasetError, match="found no usable row"):
        together(sources, tmp_path)


def test_a_broker_that_falls_silent_is_named(tick: MakeTick, tmp_path: Path) -> None:
    """Where records do not come, it is said how far the reading came."""
    clock = iter(range(0, 1_000, 10))
    log = Kept([tick(k) for k in range(5)], stuck=True)
    with pytest.raises(DatasetError, match="partitions 0 at 0 of 5"):
        read_topic(log, TopicSpan(), tmp_path / "w", Quiet(), lambda: float(next(clock)))


@pytest.mark.kafka
def test_a_topic_on_a_broker(
    tick: MakeTick,
    tmp_path: Path,
    kafka_settings: KafkaSettings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The command reads what a broker holds into a file, and says where it is."""
    ensure_topics(kafka_settings, [TICKS])
    producer = Producer(kafka_settings, linger_ms=5)
    for second in range(500):
        event = tick(second, 100 + second % 9)
        producer.send(TICKS.name, event.product_id, encode(event))
    producer.flush()
    producer.close()
    parser = ArgumentParser()
    command.add(parser.add_subparsers())
    out = tmp_path / "d.parquet"
    options = parser.parse_args(
        ["dataset", "--from-topic", "--from", "1970-01-01T00:06:40", "--out", str(out)]
    )
    assert options.run(options, TrainingSettings(), kafka_settings) == 0
    said = capsys.readouterr().out
    assert "read      ticks:f: 100 events, usable rows: 39 of BTC-USD" in said
    assert f"wrote     {out}" in said
    assert [p.name for p in tmp_path.iterdir()] == ["d.parquet"]
