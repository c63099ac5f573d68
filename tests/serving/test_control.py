"""Which variant serves, and following it."""

import threading
import time

import msgspec
import pytest

from plumbing.kafka import Partition, Record
from serving.control import KEY, Control, Serving, UnknownVariant, decode, encode, variant_named
from serving.follower import Follower
from tests.waiting import eventually

PLACE = Partition("control", 0)


class FakeReader:
    """The topic control in memory; ``away`` makes every call fail."""

    def __init__(self, *values: bytes) -> None:
        self.records: list[Record] = []
        self.given = 0
        self.longest = 0.0
        self.away = False
        self.closed = False
        for value in values:
            self.add(value)

    def add(self, value: bytes, key: str = KEY) -> None:
        self.records.append(Record("control", 0, len(self.records), 0, key, value, {}))

    def beginnings(self) -> dict[Partition, int]:
        return {PLACE: 0}

    def ends(self) -> dict[Partition, int]:
        if self.away:
            raise ConnectionError("broker away")
        return {PLACE: len(self.records)}

    def poll(self, timeout: float) -> list[Record]:
        self.longest = max(self.longest, timeout)
        if self.given == len(self.records):
            time.sleep(0.005)
        found = self.records[self.given :]  # one may be added meanwhile: count what is given
        self.given += len(found)
        return found

    def close(self) -> None:
        self.closed = True


class Watched(Serving):
    """Notes each variant that it was told."""

    def __init__(self, default: str) -> None:
        super().__init__(default)
        self.heard: list[str] = []

    def take(self, key: str, value: bytes) -> bool:
        changed = super().take(key, value)
        self.heard.append(self.variant)
        return changed


def said(variant: str) -> bytes:
    """A record that lets a variant serve."""
    return encode(Control(variant=variant, changed_by="ann", changed_us=5))


@pytest.fixture
def follow():
    """Starts followers and ends them."""
    running = []

    def start(open_reader, default="ml") -> Follower:
        running.append(Follower(Serving(default), open_reader, check_seconds=0.01).start())
        return running[-1]

    yield start
    for follower in running:
        follower.stop()


def test_the_record_reads_back():
    """What is written is what is read."""
    assert decode(said("baseline")) == Control(variant="baseline", changed_by="ann", changed_us=5)


def test_an_unknown_variant_is_refused_by_name():
    """The message says what was found and what there is."""
    with pytest.raises(UnknownVariant, match="found variant 'mll', expected one of ml, baseline"):
        variant_named("mll")


def test_only_a_change_is_a_change():
    """The same variant again changes nothing; other keys are none of ours."""
    serving = Serving("ml")
    assert serving.take(KEY, said("ml")) is False
    assert serving.take("other", said("baseline")) is False
    assert serving.take(KEY, said("baseline")) is True
    assert (serving.variant, serving.last.changed_by) == ("baseline", "ann")


def test_a_tombstone_brings_the_default_back():
    """With the record deleted the setting holds again."""
    serving = Serving("ml")
    serving.take(KEY, said("baseline"))
    assert serving.take(KEY, b"") is True
    assert (serving.variant, serving.last) == ("ml", None)


NEVER = b'{"variant":"ml","changed_by":"a","changed_us":1' + b"0" * 400 + b"}"


@pytest.mark.parametrize(
    "value", [b"{", b'{"variant":"new","changed_by":"a","changed_us":1}', NEVER]
)
def test_what_cannot_be_read_changes_nothing(value):
    """A variant of a later version, no JSON, a time of no clock: the last one stays."""
    serving = Serving("ml")
    serving.take(KEY, said("baseline"))
    with pytest.raises(msgspec.DecodeError):
        serving.take(KEY, value)
    assert serving.variant == "baseline"


def test_the_last_record_wins_at_the_start(follow):
    """Settled once all that stood in the topic was read."""
    reader = FakeReader(said("baseline"), said("ml"), said("baseline"))
    follower = follow(lambda: reader)
    eventually(lambda: follower.settled)
    assert (follower.serving.variant, follower.state) == ("baseline", "followed")


def test_an_empty_topic_leaves_the_default(follow):
    """Nothing was ever written: settled at once."""
    follower = follow(FakeReader, default="baseline")
    eventually(lambda: follower.settled)
    assert follower.serving.variant == "baseline"


def test_a_switch_is_followed_within_a_second(follow):
    """A new record is taken while running: no look at the topic lasts for a second."""
    reader = FakeReader()
    follower = follow(lambda: reader)
    eventually(lambda: follower.settled)
    reader.add(said("baseline"))
    eventually(lambda: follower.serving.variant == "baseline")
    assert 0 < reader.longest < 1


def test_an_unreadable_record_does_not_end_following(follow):
    """After it the next good one is taken."""
    follower = follow(lambda: FakeReader(b"{", said("baseline")))
    eventually(lambda: follower.serving.variant == "baseline")


def test_with_the_broker_away_the_last_variant_stays(follow):
    """The broker goes: state away, variant kept; it comes back: followed again."""
    first, second = FakeReader(said("baseline")), FakeReader(said("baseline"), said("ml"))
    readers, back = iter([first, second]), threading.Event()

    def open_reader() -> FakeReader:
        reader = next(readers)
        assert reader is first or back.wait(60)
        return reader

    follower = follow(open_reader)
    eventually(lambda: follower.state == "followed")
    first.away = True
    eventually(lambda: follower.state == "away")
    assert follower.serving.variant == "baseline"
    eventually(lambda: first.closed)
    back.set()
    eventually(lambda: follower.state == "followed" and follower.serving.variant == "ml")


def test_reading_again_repeats_no_switch_of_long_ago(follow):
    """After a reconnect the whole topic is read, but only what stands last is followed."""
    history = (said("ml"), said("baseline"), said("ml"), b"{")
    first, second = FakeReader(*history), FakeReader(*history)
    given = [first, second]
    serving = Watched("ml")
    follower = Follower(serving, lambda: given.pop(0), check_seconds=0.01).start()
    eventually(lambda: follower.state == "followed")
    first.away = True
    eventually(lambda: len(serving.heard) == 2)
    follower.stop()
    assert serving.heard == ["ml", "ml"]


def test_with_the_broker_away_from_the_start_it_is_settled(follow):
    """The default serves: the broker must not keep the front door shut."""

    def refuse() -> FakeReader:
        raise ConnectionError("no broker")

    follower = follow(refuse)
    eventually(lambda: follower.settled)
    assert (follower.state, follower.serving.variant) == ("away", "ml")
