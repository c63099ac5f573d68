"""The interval of a count, against the tables of Garwood."""

import pytest

from signals.poisson import poisson_interval


@pytest.mark.parametrize(
    ("count", "level", "low", "high"),
    [
        (0, 0.9, 0.0, 2.996),
        (1, 0.9, 0.051, 4.744),
        (10, 0.9, 5.425, 16.962),
        (10, 0.95, 4.795, 18.390),
        (100, 0.95, 81.364, 121.627),
    ],
)
def test_known_intervals(count: int, level: float, low: float, high: float) -> None:
    """To three digits."""
    assert poisson_interval(count, level) == (
        pytest.approx(low, abs=6e-4),
        pytest.approx(high, abs=6e-4),
    )


def test_it_grows_with_the_count() -> None:
    """Both bounds, which lie on both sides of it, up to thousands."""
    found = [(poisson_interval(count), count) for count in (1, 5, 50, 500, 3_000)]
    assert all(low < count < high for (low, high), count in found)
    assert sorted(low for (low, _), _ in found) == [low for (low, _), _ in found]
