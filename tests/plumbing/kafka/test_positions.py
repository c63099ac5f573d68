"""What was read before and what comes now go together, or it is said."""

import pytest

from plumbing.kafka import Partition, Record, TopicChanged
from plumbing.kafka.positions import Positions

AT = Partition("things", 3)


def records(*offsets: int) -> list[Record]:
    """Records of the partition at these offsets."""
    return [Record("things", 3, offset, 0, "", b"", {}) for offset in offsets]


def test_what_goes_on_is_nothing_to_tell() -> None:
    """Also from an offset that was sought, after holes without records, and once forgotten."""
    told: list[str] = []
    positions = Positions(told.append)
    positions.see(records(5, 6), lambda _: 0)
    positions.see(records(9), lambda _: 7)
    positions.stand(AT, 2)
    positions.see(records(2), lambda _: 0)
    positions.forget([AT])
    positions.see(records(0), lambda _: 0)
    assert (told, positions.known()[AT]) == ([], 1)


def test_a_topic_that_began_anew_is_told_and_raised() -> None:
    """A record before what was read, or before what was sought."""
    told: list[str] = []
    positions = Positions(told.append)
    positions.stand(AT, 100)
    with pytest.raises(TopicChanged, match=r"things\[3\] began anew: found offset 0, expected 100"):
        positions.see(records(0, 1), lambda _: 0)
    assert told == ["began_anew"]


def test_records_that_expired_unread_are_told() -> None:
    """The beginning passed the position; reading goes on."""
    told: list[str] = []
    positions = Positions(told.append)
    positions.see(records(5), lambda _: 0)
    positions.see(records(50, 51), lambda _: 50)
    assert (told, positions.known()[AT]) == (["expired"], 52)


@pytest.mark.parametrize(
    ("offset", "change"), [(10, []), (20, []), (9, ["expired"]), (21, ["began_anew"])]
)
def test_a_kept_position_is_compared_with_the_topic(offset: int, change: list[str]) -> None:
    """Of a topic that holds 10 to 19, and is read on from 20."""
    told: list[str] = []
    Positions(told.append).compare(AT, offset, 10, 20)
    assert told == change


def test_a_topic_is_known_by_its_id() -> None:
    """Another id is another topic; an id that is not known says nothing."""
    told: list[str] = []
    positions = Positions(told.append)
    for known in (None, "a", None, "a"):
        positions.identify("things", known)
    with pytest.raises(TopicChanged, match="things began anew: found topic id b, expected a"):
        positions.identify("things", "b")
    assert told == ["began_anew"]
