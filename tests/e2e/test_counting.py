"""The drill's counting finds what is missing, strange or unequal, and nothing else."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from featurizer.features import FeatureEngine
from featurizer.features import encode as encode_row
from ingestor.tick import Tick
from ingestor.tick import encode as encode_tick
from tests.e2e.kind.counting import (
    Market,
    contents,
    count,
    expected_of,
    lines_in,
    predictions_of,
    ticks_alone,
    without_feed,
)
from tests.e2e.kind.reading import Line, line_of, members_of

MARKET = Market(7, ("BTC-USD", "ETH-USD"), datetime(2024, 1, 1, tzinfo=UTC), 30)
FEED = "market-7@20240101T000000.000000Z"
DIGEST = "d" * 64


def topics(feed: str = FEED) -> dict[str, list[Line]]:
    """Give the lines of a run as it should be."""
    engine, made = FeatureEngine(), list(MARKET.events(feed))
    rows = [row for event in made if (row := engine.update(event)) is not None]
    return {
        "ticks": [line_of("ticks", encode_tick(event)) for event in made],
        "features": [line_of("features", encode_row(row)) for row in rows],
    }


def prediction(**changes: object) -> bytes:
    """Give a prediction as it stands in the topic, as far as it is read."""
    told = {
        "prediction_id": "p",
        "row_id": f"{FEED}:BTC-USD:1:0",
        "feed": FEED,
        "score": 0.1,
        "received_us": 1,
        "featurized_us": 2,
        "scored_us": 3,
    }
    return json.dumps(told | changes).encode()


def test_a_right_run_is_whole() -> None:
    """All that the market holds is found, and rows have the content of one engine's."""
    expected, found = expected_of(MARKET, FEED), topics()
    ticks = count(ticks_alone(found["ticks"]), expected.ticks, expected.ticks)
    rows = count(found["features"], expected.rows, expected.rows)
    assert ticks.whole and rows.whole
    assert ticks.expected > rows.expected > 100  # Beats give no row


@pytest.mark.parametrize("topic", ["ticks", "features"])
def test_a_lost_record_is_named(topic: str) -> None:
    """What must be there and is not, is listed by its id."""
    lines = [line for line in topics()[topic] if not line[1].startswith("break:")]
    lost = lines.pop(11)
    expected = expected_of(MARKET, FEED)
    found = count(lines, expected.ticks if topic == "ticks" else expected.rows)
    assert found.missing == (lost[1],)
    assert not found.whole and lost[1] in str(found)


def test_a_repeat_is_counted() -> None:
    """The same record twice is a repeat, not an error."""
    lines, expected = topics()["features"], expected_of(MARKET, FEED)
    found = count([*lines, lines[3]], expected.rows, expected.rows)
    assert (found.whole, found.repeats) == (True, 1)


def test_a_repeat_that_says_something_else_is_found() -> None:
    """The last bit counts."""
    lines, expected = topics()["features"], expected_of(MARKET, FEED)
    topic, name, said, content = lines[3]
    found = count([*lines, (topic, name, said[:-1] + "x", content)], expected.rows)
    assert found.unequal == (name,)


def test_other_content_than_expected_is_found() -> None:
    """A row with an id that is right and a number that is not, does not count as whole."""
    lines, expected = topics()["features"], expected_of(MARKET, FEED)
    wrong = expected_of(replace(MARKET, seconds=29), FEED)
    assert count(lines, expected.rows, {**expected.rows, lines[3][1]: "other"}).unequal
    assert count(lines, wrong.rows).unexpected


def test_two_runs_have_the_same_content() -> None:
    """Without the feed, rows of two runs of one market are equal to the bit."""
    one, other = topics(), topics("market-7@20260101T000000.000000Z")
    assert contents(one["features"]) == contents(other["features"])
    assert one["features"][3] != other["features"][3]


def test_when_a_tick_was_received_is_not_content() -> None:
    """A second run receives the same tick at another time."""
    tick = next(event for event in MARKET.events(FEED) if isinstance(event, Tick))
    later = msgspec.structs.replace(tick, received_us=tick.received_us + 5)
    one, other = line_of("ticks", encode_tick(tick)), line_of("ticks", encode_tick(later))
    assert one[2] != other[2] and one[3] == other[3]


def test_stages_of_a_prediction_are_not_what_it_says() -> None:
    """A row scored twice gives a repeat; with another score it does not."""
    one = line_of("predictions", prediction())
    assert line_of("predictions", prediction(scored_us=9)) == one
    assert line_of("predictions", prediction(score=0.2))[2] != one[2]


def test_predictions_follow_from_rows() -> None:
    """Each row and the digest of the model give one id."""
    assert len(set(predictions_of(["a", "b"], DIGEST))) == 2
    assert predictions_of(["a"], DIGEST) != predictions_of(["a"], "e" * 64)


def test_lines_are_read_by_topic() -> None:
    """What the pod printed is read back, each topic for itself."""
    lines = [line for found in topics().values() for line in found]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    assert lines_in(text, "features") == topics()["features"]


def test_an_id_without_its_feed_has_three_parts() -> None:
    """Product, time and trade id stay."""
    assert without_feed(f"{FEED}:BTC-USD:1704067200000000:0") == "BTC-USD:1704067200000000:0"


def test_owners_are_read_from_a_group() -> None:
    """Each member's partitions are told by its address."""
    topic = {"topic": "ticks", "partitions": [3, 1]}
    member = {
        "client_host": "/10.244.1.7",
        "member_assignment": {"assigned_partitions": [topic]},
    }
    assert members_of({"members": [member]}) == {"10.244.1.7": [1, 3]}
