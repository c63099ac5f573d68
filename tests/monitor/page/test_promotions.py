"""Which model served from when on, as predictions and choices tell."""

from collections.abc import Iterable

import pytest

from monitor.page.promotions import MOST, Promotions, promotions_of
from scorer.prediction import Prediction
from serving.control import Control
from tests.featurizer.market import START
from tests.monitor.page.world import said
from tests.monitor.world import SECOND


def told(predictions: Iterable[Prediction]) -> Promotions:
    """What these predictions tell."""
    found = Promotions()
    for prediction in predictions:
        found.take(prediction)
    return found


def shown(found: Promotions) -> list[tuple[str, int, tuple[str, ...]]]:
    """Version, second and products of each line."""
    return [
        (str(line.version), (line.at_us - START) // SECOND, line.products) for line in found.lines
    ]


def both(seconds: range, version: str) -> list[Prediction]:
    """Two products' predictions by one version."""
    names = ("BTC-USD", "ETH-USD")
    return [said(s, version=version, product_id=name) for s in seconds for name in names]


def test_a_line_is_a_model_that_came_for_all_its_products() -> None:
    """Those that come to it within a minute stand together."""
    found = told(both(range(10), "a") + both(range(200, 210), "b") + both(range(400, 403), "a"))
    pair = ("BTC-USD", "ETH-USD")
    assert shown(found) == [("a", 0, pair), ("b", 200, pair), ("a", 400, pair)]


def test_a_product_that_comes_late_has_a_line_of_its_own() -> None:
    """After more than a minute."""
    found = told([said(0, version="a"), said(100, version="a", product_id="ETH-USD")])
    assert shown(found) == [("a", 0, ("BTC-USD",)), ("a", 100, ("ETH-USD",))]


@pytest.mark.parametrize("cut", [1, 5, 10, 15, 19])
def test_read_back_and_going_on_is_as_if_it_had_never_ended(cut: int) -> None:
    """Wherever the process was cut, and if reading back went on beyond that."""
    course = [said(100 * at, version="aabbbaabbbbbaaaccaaa"[at]) for at in range(20)]
    for until in range(cut, 21):
        after, past = told(course[cut:]), told(course[:until])
        after.adopt(past)
        assert shown(after) == shown(told(course))
        after.take(said(9_000, version="a"))
        assert len(after.lines) == len(told(course).lines)


def test_there_and_back_is_three_lines() -> None:
    """However soon."""
    found = told([said(0, version="a"), said(20, version="b"), said(40, version="a")])
    assert [version for version, *_ in shown(found)] == ["a", "b", "a"]


def test_there_is_an_end_to_what_is_kept() -> None:
    """The newest lines stay."""
    found = told(said(100 * at, version=str(at)) for at in range(MOST + 7))
    assert len(found.lines) == MOST
    assert found.lines[-1].version == str(MOST + 6)


def test_choices_stand_among_what_served_newest_first() -> None:
    """With who made them."""
    found = told([said(0, version="a"), said(300, version="b")])
    choice = Control(variant="baseline", changed_by="ann", changed_us=START + 100 * SECOND)
    lines = promotions_of(found.lines, [choice])
    assert [(each.kind, each.version, each.by) for each in lines] == [
        ("served", "b", None),
        ("switched", None, "ann"),
        ("served", "a", None),
    ]
