"""Dead letters of predictions are made once, whoever reads again."""

from ingestor.dead_letter import decode
from ingestor.topics import DEAD_LETTERS, PREDICTIONS
from monitor.letters import Letters
from plumbing.kafka import Partition
from tests.monitor.world import Log, LogReader


def test_a_letter_is_made_once() -> None:
    """Of the same place, also by a monitor that begins anew and finds it in the topic."""
    log = Log(partitions=1)
    log.append(PREDICTIONS.name, "BTC-USD", b"no json")
    [record] = log.records[Partition(PREDICTIONS.name, 0)]
    letters = Letters(LogReader(log))
    made = letters.letter(record, "not json", 7)
    assert made is not None and letters.letter(record, "not json", 8) is None
    log.append(DEAD_LETTERS.name, made.key, made.value)
    assert Letters(LogReader(log)).letter(record, "not json", 9) is None
    letter = decode(made.value)
    place = (letter.topic, letter.partition, letter.offset)
    assert place == (PREDICTIONS.name, 0, 0) and letter.received_us == 7


def test_a_letter_that_cannot_be_read_stops_none() -> None:
    """The topic of dead letters is as open to strange bytes as any."""
    log = Log(partitions=1)
    log.append(PREDICTIONS.name, "BTC-USD", b"no json")
    log.append(DEAD_LETTERS.name, "", b"\xff\xfe")
    [record] = log.records[Partition(PREDICTIONS.name, 0)]
    assert Letters(LogReader(log)).letter(record, "not json", 7) is not None
