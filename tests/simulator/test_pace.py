"""When which frame is due."""

import pytest

from simulator.pace import Pace

SECOND = 1_000_000
NOW = 1_700_000_000.0
LONG_AGO = 1_600_000_000 * SECOND


def pace(speed: float, event_us: int = LONG_AGO) -> Pace:
    """A clock that begins now."""
    made = Pace(speed)
    made.begin(event_us, NOW)
    return made


def test_event_time_runs_at_the_speed() -> None:
    """Twenty seconds of event time take one at speed 20."""
    assert pace(20).due(LONG_AGO + 20 * SECOND) == pytest.approx(NOW + 1)


def test_no_wait_is_longer_than_the_cap() -> None:
    """A silence of an hour is waited for 12 s, and what follows keeps its distance."""
    clock = pace(1)
    assert clock.due(LONG_AGO + 3_600 * SECOND) == pytest.approx(NOW + 12)
    assert clock.due(LONG_AGO + 3_601 * SECOND) == pytest.approx(NOW + 13)


def test_a_late_frame_is_due_with_the_one_before() -> None:
    """Event time that runs back does not move the clock."""
    clock = pace(1)
    clock.due(LONG_AGO + 5 * SECOND)
    assert clock.due(LONG_AGO + 2 * SECOND) == pytest.approx(NOW + 5)
    assert clock.due(LONG_AGO + 6 * SECOND) == pytest.approx(NOW + 6)


def test_event_time_never_passes_the_wall() -> None:
    """However fast, a frame waits for its own time."""
    clock = pace(1_000, int(NOW - 10) * SECOND)
    assert clock.due(int(NOW + 5) * SECOND) == pytest.approx(NOW + 5)


def test_by_the_clock_the_past_is_due_at_once_and_the_rest_at_its_time() -> None:
    """However late the clock was begun, event time ends up where the wall is."""
    clock = Pace(1.0, by_clock=True)
    clock.begin(int(NOW - 4_500) * SECOND, NOW + 7)
    assert clock.due(int(NOW - 4_000) * SECOND) <= NOW + 7
    assert clock.present(NOW + 7) == int(NOW - 4_000) * SECOND
    assert clock.due(int(NOW + 5) * SECOND) == NOW + 7
    assert clock.due(int(NOW + 9) * SECOND) == NOW + 9
    assert clock.present(NOW + 8) == pytest.approx(int(NOW + 8) * SECOND, abs=10)


def test_the_present_lies_between_two_frames() -> None:
    """Between frames event time goes on, from the last one's to the next one's."""
    clock = pace(10)
    clock.due(LONG_AGO + 20 * SECOND)
    assert clock.present(NOW) == LONG_AGO
    assert clock.present(NOW + 1) == pytest.approx(LONG_AGO + 10 * SECOND, abs=10)
    assert clock.present(NOW + 60) == LONG_AGO + 20 * SECOND
