"""τ and its status, by hand-made counts."""

import pytest

from featurizer.level.histogram import EDGES, OVERFLOW, UNDERFLOW, Histogram
from featurizer.level.level import Level, level_of

HOUR = 3_600


def counts(n: int, cell: int = 300, zeros: int = 0) -> Histogram:
    """``n`` counted seconds in one cell, ``zeros`` of them standing still."""
    return Histogram([((UNDERFLOW, zeros), (cell, n - zeros))])


NONE = Histogram()


@pytest.mark.parametrize(
    ("day", "week", "seed", "level"),
    [
        (NONE, NONE, None, Level(None, "blind")),
        (NONE, NONE, 5e-4, Level(5e-4, "seeded")),
        (counts(HOUR - 1), NONE, None, Level(None, "blind")),
        (counts(HOUR - 1), NONE, 5e-4, Level(5e-4, "seeded")),
        (counts(HOUR), NONE, 5e-4, Level(EDGES[300], "provisional")),
        (counts(8 * HOUR - 1), NONE, None, Level(EDGES[300], "provisional")),
        (counts(8 * HOUR), NONE, None, Level(EDGES[300], "established")),
        (NONE, counts(8 * HOUR, 320), 5e-4, Level(EDGES[320], "provisional")),
        (NONE, counts(8 * HOUR - 1, 320), 5e-4, Level(5e-4, "seeded")),
        (NONE, counts(8 * HOUR, OVERFLOW), None, Level(None, "blind")),
    ],
)
def test_status_goes_by_counted_seconds(
    day: Histogram, week: Histogram, seed: float | None, level: Level
) -> None:
    """An hour for a level of its own, eight for one that is established, else week, else seed."""
    assert level_of(day, week, seed) == level


def test_the_week_holds_a_calm_day_up() -> None:
    """τ is the day's, but never below 0.7 of the week's."""
    wild = counts(8 * HOUR, 332)
    assert level_of(counts(8 * HOUR), wild, None).tau == 0.7 * EDGES[332] > EDGES[300]
    assert level_of(counts(8 * HOUR, 331), wild, None).tau == EDGES[331]
    assert level_of(counts(8 * HOUR), counts(8 * HOUR - 1, 332), None).tau == EDGES[300]


def test_a_fifth_of_zeros_is_no_level() -> None:
    """More than 20 % of an hour or more; less is not judged, and the seed stands."""
    assert level_of(counts(HOUR, zeros=HOUR // 5), NONE, 5e-4).status == "provisional"
    assert level_of(counts(HOUR, zeros=HOUR // 5 + 1), NONE, 5e-4) == Level(None, "thin")
    assert level_of(counts(9 * HOUR, zeros=2 * HOUR), NONE, None) == Level(None, "thin")
    assert level_of(counts(HOUR - 1, zeros=HOUR - 1), NONE, 5e-4) == Level(5e-4, "seeded")


def test_beyond_the_cells_is_no_level() -> None:
    """A tenth and more in the overflow cell goes before every status."""
    day = Histogram([((300, 7_999), (OVERFLOW, 2_001))])
    assert level_of(day, counts(8 * HOUR), 5e-4) == Level(None, "overflow")
