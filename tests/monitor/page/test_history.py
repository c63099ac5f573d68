"""The last day of a product in bounded memory."""

import pytest

from monitor.page.history import HOLES, TIERS, Course, conflated, history_of
from monitor.page.points import Point, point_of
from tests.featurizer.market import START, break_at
from tests.monitor.page.world import said
from tests.monitor.world import SECOND

FIRST = START // SECOND


def point(second: float, score: float = 0.05) -> Point:
    """A calm point so many seconds after the start."""
    return point_of(said(second, score), "calm", None)


def filled(seconds: range) -> Course:
    """A course with two points a second."""
    course = Course("f")
    for second in seconds:
        course.take(point(second), False)
        course.take(point(second + 0.5, 0.1), False)
    return course


def test_a_step_has_one_point() -> None:
    """Of the two in a second, the highest chance stands; steps are those of the epoch."""
    points = list(conflated([point(s / 2, s / 10) for s in range(6)], 1))
    assert [p.score for p in points] == [0.1, 0.3, 0.5]
    assert list(conflated([], 1)) == []


def test_the_last_quarter_of_an_hour_is_by_seconds() -> None:
    """Without bounds the last 900 seconds are answered, one point each."""
    history = history_of("BTC-USD", filled(range(1_000)), None, None, 1)
    assert (history.step, len(history.time), history.feed) == (1, 900, "f")
    assert history.time == list(range(FIRST + 100, FIRST + 1_000))
    assert set(history.score) == {0.1}


def test_a_longer_stretch_has_coarser_steps() -> None:
    """As coarse as what is kept so far back, or as is asked for."""
    course = filled(range(0, 7_200, 2))
    hour = history_of("BTC-USD", course, START + 3_700 * SECOND, None, 1)
    day = history_of("BTC-USD", course, START, None, 1)
    asked = history_of("BTC-USD", course, START + 3_700 * SECOND, None, 30)
    assert [each.step for each in (hour, day, asked)] == [4, 60, 30]
    assert day.time[0] == FIRST // 60 * 60
    assert all(b - a == 30 for a, b in zip(asked.time, asked.time[1:], strict=False))


def test_a_young_course_is_fine_however_far_back_is_asked() -> None:
    """What began five minutes ago is by seconds, also when a day is asked for."""
    history = history_of("BTC-USD", filled(range(300)), START - 86_400 * SECOND, None, 1)
    assert (history.step, len(history.time)) == (1, 300)


def test_memory_is_bounded() -> None:
    """Two days leave one, with so many points as the steps have, and so many holes."""
    course = Course("f")
    for second in range(0, 2 * 86_400, 20):
        course.take(point(second), False)
    kept = sum(len(tier.kept) for tier in course._tiers)
    assert kept <= sum(span // step for step, span in TIERS)
    assert len(list(course.holes(0, course.newest_us))) == HOLES


def test_a_point_from_before_the_last_is_passed_over() -> None:
    """Time runs one way within a feed."""
    course = filled(range(10))
    course.take(point(3, 0.9), False)
    assert max(history_of("BTC-USD", course, None, None, 1).score) == 0.1  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("to", "after_break", "holes"), [(19.5, False, 0), (20, False, 1), (10, True, 1)]
)
def test_a_hole_is_a_break_or_a_long_gap(to: float, after_break: bool, holes: int) -> None:
    """Rows of a living product are at most ten seconds apart."""
    course = filled(range(10))
    course.take(point(to), after_break)
    found = history_of("BTC-USD", course, None, None, 1).holes
    assert [(h.from_us, h.to_us, h.reason) for h in found] == [
        (START + 9_500_000, START + int(to * SECOND), "gap")
    ] * holes


def test_a_hole_has_the_reason_of_its_break() -> None:
    """Of the Break inside it, of the same product and feed; else nobody knows but that it is."""
    course = filled(range(10))
    course.take(point(30), True)
    inside = break_at(START + 15 * SECOND)
    others = [break_at(START + 15 * SECOND, product_id="X"), break_at(START + 40 * SECOND)]
    assert history_of("BTC-USD", course, None, None, 1, [inside]).holes[0].reason == "sequence"
    assert history_of("BTC-USD", course, None, None, 1, others).holes[0].reason == "gap"


def test_nothing_known_is_an_empty_history() -> None:
    """A product without a course has no points and no feed."""
    history = history_of("X", None, None, None, 1)
    assert (history.feed, history.time, history.holes) == (None, [], [])


@pytest.mark.parametrize(("span", "step"), [(900, 1), (3_600, 4), (86_400, 60)])
def test_what_the_page_asks_for_has_the_finest_step_that_reaches(span: int, step: int) -> None:
    """A quarter of an hour by seconds, an hour by four, a day by minutes."""
    course = filled(range(0, 7_200, 2))
    found, points = course.points(course.newest_us - span * SECOND, course.newest_us, 1)
    assert found == step and points
