"""What the charts show of the last day, of each product, in bounded memory."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from ingestor.tick import Break
from monitor.page.points import Point
from signals.row import MICROSECONDS

TIERS: Final = ((1, 900), (4, 3_600), (60, 86_400))
"""Seconds of a step, and of event time over which steps are kept: 3,240 points a product."""
LONGEST_GAP: Final = 10
"""Rows of a living product are at most so many seconds apart: more is a hole."""
HOLES: Final = 200


class Hole(msgspec.Struct, frozen=True):
    """A stretch without data, event time in epoch µs; ``reason`` is its Break's, else ``gap``."""

    from_us: int
    to_us: int
    reason: str


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Points of a product in columns, one in a ``step`` of so many seconds that has any.

    ``time`` is the epoch second at which the step begins; the rest as in ``Point``.
    """

    product_id: str
    feed: str | None
    step: int
    time: list[int]
    price: list[float]
    ratio: list[float | None]
    score: list[float | None]
    severe: list[float | None]
    elevated: list[float | None]
    spike: list[float | None]
    mode: list[str]
    holes: list[Hole]


@dataclass(slots=True)
class _Tier:
    """Points of one step, oldest first, with the number of each one's step."""

    step: int
    span: int
    kept: deque[tuple[int, Point]] = field(default_factory=deque)

    def take(self, point: Point) -> None:
        at = point.time_us // (self.step * MICROSECONDS)
        if self.kept and self.kept[-1][0] == at:
            point = self.kept.pop()[1].then(point)
        self.kept.append((at, point))
        while self.kept[0][0] <= at - self.span // self.step:
            self.kept.popleft()

    def go_on(self, later: "_Tier", newest_us: int) -> None:
        """Take the points of a tier of the same step that are not before a time."""
        for _, point in later.kept:
            if point.time_us >= newest_us:
                self.take(point)


class Course:
    """The last day of one product under one feed; ``begun_us`` is its first point's time."""

    def __init__(self, feed: str) -> None:
        self.feed = feed
        self.newest_us = self.begun_us = -1
        self._tiers = [_Tier(step, span) for step, span in TIERS]
        self._holes: deque[tuple[int, int]] = deque(maxlen=HOLES)

    def take(self, point: Point, after_break: bool) -> None:
        """Take a row's point; one that is older than the last is passed over."""
        before, now = self.newest_us, point.time_us
        if now < before:
            return
        if before >= 0 and (after_break or now - before > LONGEST_GAP * MICROSECONDS):
            self._holes.append((before, now))
        self.newest_us = now
        self.begun_us = now if before < 0 else self.begun_us
        for tier in self._tiers:
            tier.take(point)

    def go_on(self, later: "Course") -> None:
        """Take what another course of the same feed has after this one's end."""
        before = self.newest_us
        if later.newest_us < before:
            return
        for tier, other in zip(self._tiers, later._tiers, strict=True):
            tier.go_on(other, before)
        self._holes.extend(hole for hole in later._holes if hole[0] >= before)
        self.newest_us = later.newest_us

    def holes(self, since_us: int, until_us: int) -> Iterator[tuple[int, int]]:
        """Return the holes that reach into a stretch of event time."""
        return ((begin, end) for begin, end in self._holes if end >= since_us and begin <= until_us)

    def points(self, since_us: int, until_us: int, step: int) -> tuple[int, list[Point]]:
        """Return the points of a stretch by steps of at least so many seconds, and that step."""
        tier = self._tier(since_us, step)
        points = [p for _, p in tier.kept if since_us <= p.time_us <= until_us]
        step = max(step, tier.step)
        return step, list(conflated(points, step))

    def _tier(self, since_us: int, step: int) -> _Tier:
        """Return the coarsest that is fine enough and reaches back to where it begins."""
        since_us = max(since_us, self.begun_us)
        reach = [t for t in self._tiers if since_us >= self.newest_us - t.span * MICROSECONDS]
        fine = [tier for tier in reach if tier.step <= step]
        return fine[-1] if fine else (reach or self._tiers[-1:])[0]


def conflated(points: Iterable[Point], step: int) -> Iterator[Point]:
    """Return one point in each step of so many seconds that has any; points in their order."""
    last: Point | None = None
    for point in points:
        if last is not None and _step(last, step) == _step(point, step):
            point = last.then(point)
        elif last is not None:
            yield last
        last = point
    if last is not None:
        yield last


def history_of(
    product_id: str,
    course: Course | None,
    since_us: int | None,
    until_us: int | None,
    step: int,
    breaks: Iterable[Break] = (),
) -> History:
    """Return a stretch of a product's course; without bounds, the last 15 minutes of it."""
    course = course or Course("")
    until_us = course.newest_us if until_us is None else until_us
    since_us = until_us - TIERS[0][1] * MICROSECONDS + 1 if since_us is None else since_us
    step, points = course.points(since_us, until_us, step)
    mine = [each for each in breaks if (each.product_id, each.feed) == (product_id, course.feed)]
    return History(
        product_id=product_id,
        feed=course.feed or None,
        step=step,
        time=[_step(point, step) * step for point in points],
        price=[point.price for point in points],
        ratio=[point.ratio for point in points],
        score=[point.score for point in points],
        severe=[point.severe for point in points],
        elevated=[point.elevated for point in points],
        spike=[point.spike for point in points],
        mode=[point.mode for point in points],
        holes=[Hole(*hole, _reason(hole, mine)) for hole in course.holes(since_us, until_us)],
    )


def _reason(hole: tuple[int, int], breaks: Iterable[Break]) -> str:
    begin, end = hole
    inside = [each.reason for each in breaks if begin <= each.time_us <= end]
    return inside[-1] if inside else "gap"


def _step(point: Point, step: int) -> int:
    return point.time_us // (step * MICROSECONDS)
