"""Letters tried again: frames that are accepted now, and why others are not."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from ingestor.commands.redrive import records, redrive, write
from ingestor.commands.repair import repairs
from ingestor.dead_letter import dead_letter, encode
from ingestor.recordings.recording import read_frames
from ingestor.topics import DEAD_LETTERS, TICKS, TOPICS
from plumbing.kafka import KafkaSettings, Partition, Producer, Reader, Record, ensure_topics
from tests.ingestor.wire import Wire, us


def letter(data: bytes, at: float, feed: str = "coinbase", source: str = "ingestor") -> bytes:
    """Return a letter of a frame that some reader of before refused at a time."""
    return encode(dead_letter(source, "ticker: of before", data, us(at), feed=feed))


def test_what_is_accepted_now_is_a_recording_in_event_time(tmp_path: Path) -> None:
    """Frames are in order of their own time, each once though it had two letters, by feed."""
    wire = Wire()
    first, second, other = wire.ticker(1), wire.ticker(2), wire.trades(3, 5)
    found = repairs(
        [letter(second, 9), letter(first, 9), letter(first, 9), letter(other, 9, "market-7@x")]
    )
    paths = write(found, tmp_path)
    assert [path.name for path in paths] == [
        "redriven_coinbase.ndjson.gz",
        "redriven_market-7%40x.ndjson.gz",
    ]
    tickers = [f for f in read_frames(paths[0]) if b'"ticker"' in f.data]
    assert [frame.time_us for frame in tickers] == [us(1), us(2)]
    assert [json.loads(f.data)["channel"] for f in read_frames(paths[1])] == ["market_trades"]
    assert (found.taken, found.refused.total()) == (4, 0)
    bytes_before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write(found, tmp_path)] == bytes_before
    assert len(list(tmp_path.iterdir())) == 2


def test_what_is_not_taken_has_its_reason() -> None:
    """Broken still, cut, of bad bytes, of a time ahead, of another service, or no letter at all."""
    good = Wire().ticker(1)
    found = repairs(
        [
            letter(Wire().ticker(1, bid=9.0, ask=3.0), 9),
            letter(good + b" " * 70_000, 9),
            letter(good.replace(b"BTC", b"B\xffC"), 9),
            letter(Wire().ticker(500), 9),
            letter(good, 9, source="featurizer"),
            b"none",
        ]
    )
    assert found.frames == {}
    assert dict(found.refused) == {
        "still refused: ticker: best_ask": 1,
        "frame that is not kept whole": 2,
        "time ahead of the receive clock": 1,
        "record of featurizer, not a frame": 1,
        "letter that cannot be read": 1,
    }


class Silent:
    """A topic that names an end and gives only what is before it."""

    def __init__(self, *values: bytes, end: int) -> None:
        self.partition = Partition("dead-letters", 0)
        self.left, self.end, self.at = list(values), end, 0

    def ends(self) -> dict[Partition, int]:
        return {self.partition: self.end}

    def position(self, _: Partition) -> int:
        return self.at

    def poll(self, _: float) -> list[Record]:
        if not self.left:
            return []
        self.at += 1
        return [Record("dead-letters", 0, self.at - 1, 0, "", self.left.pop(0), {})]


def test_the_topic_is_read_to_its_end_or_not_at_all() -> None:
    """It ends where the broker said; a broker that falls silent before is an error."""
    assert [r.value for r in records(Silent(b"a", b"b", end=2))] == [b"a", b"b"]
    with pytest.raises(TimeoutError, match="found nothing more of dead-letters"):
        list(records(Silent(b"a", end=2)))


@pytest.mark.kafka
def test_letters_of_a_broker_become_a_recording(
    kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    """The topic is read from its first letter to its last, and `ticks` gets nothing."""
    ensure_topics(kafka_settings, TOPICS)
    with closing(Producer(kafka_settings)) as producer:
        for value in (letter(Wire().ticker(1), 9), b"none"):
            producer.send(DEAD_LETTERS.name, "", value, {})
        producer.flush()
    found = redrive(kafka_settings, tmp_path)
    assert (found.taken, found.refused.total()) == (1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["redriven_coinbase.ndjson.gz"]
    with closing(Reader(kafka_settings, [TICKS.name])) as reader:
        assert reader.ends() == reader.beginnings()
