"""Delays between attempts."""

from itertools import islice

from plumbing.backoff import Backoff, Delays


def test_full_jitter_is_bounded_and_has_no_end() -> None:
    """Each delay lies between 0 and a bound that doubles up to the longest."""
    delays = list(islice(Backoff(0.25, 30), 200))
    assert all(0 <= delay <= min(0.25 * 2**n, 30) for n, delay in enumerate(delays))
    assert max(delays) > 20


def test_delays_grow_up_to_a_cap() -> None:
    """Unless told otherwise they begin below half a second and never pass ten seconds."""
    found = list(islice(Backoff(), 200))
    assert all(0 <= delay <= 10.0 for delay in found)
    assert found[0] <= 0.5
    assert max(found) > 2


def test_a_first_delay_beyond_the_longest_is_cut() -> None:
    """The longest is the longest, also at the start."""
    assert next(iter(Backoff(5.0, 1.0, draw=max))) == 1.0


def test_two_that_wait_share_nothing() -> None:
    """Each outage starts with the first delay."""
    backoff = Backoff(1.0, 8.0, draw=max)
    assert list(islice(backoff, 3)) == list(islice(backoff, 3)) == [1.0, 2.0, 4.0]


def test_what_lasted_lets_the_delays_start_afresh() -> None:
    """Short work lets them grow on, with attempts that never came to work as well."""
    delays = Delays(Backoff(1.0, 8.0, draw=max), healthy=30.0)
    assert [delays.after(lasted) for lasted in (0.0, 29.9)] == [1.0, 2.0]
    assert list(islice(delays, 2)) == [4.0, 8.0]
    assert [delays.after(lasted) for lasted in (30.0, 1.0)] == [1.0, 2.0]
