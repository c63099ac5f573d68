"""Spells and onsets, drawn by hand, and once more by a slow loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.onsets import QUIET, calm, spells
from signals.seconds import Seconds
from tests.signals.world import columns, seconds_of, stream


def at(volatility: list[float], tau: list[float] | float = 1.0, blind: int = -1) -> Seconds:
    """Seconds with these volatilities, of which one may be blind."""
    made = seconds_of(len(volatility), volatility=np.array(volatility), tau=np.array(tau))
    if blind >= 0:
        made.covered[blind] = False
        made.volatility[blind] = made.tau[blind] = np.nan
    return made


LOW, HIGH = [0.5] * QUIET, [1.5] * 5


@pytest.mark.parametrize(
    ("volatility", "onsets"),
    [
        (LOW + HIGH, [300]),
        (LOW[1:] + HIGH, []),
        (HIGH + LOW + HIGH, [305]),
        (LOW + HIGH + LOW[1:] + HIGH, [300]),
        (LOW + HIGH + LOW + HIGH, [300, 605]),
        ([*LOW, 0.999, *HIGH], [301]),
        (LOW, []),
    ],
)
def test_an_onset_has_300_seconds_below_before_it(
    volatility: list[float], onsets: list[int]
) -> None:
    """As many end a spell; one less, and it is still the same."""
    assert spells(at(volatility), 1).onsets.tolist() == onsets


def test_a_spell_ends_by_which_300_seconds_are_below() -> None:
    """low 300 | high 5 | low 300 ... : from 300 up to 604, the 300th second below; open else."""
    found = spells(at(LOW + HIGH + LOW + HIGH + LOW[1:]), 1)
    assert (found.start.tolist(), found.end.tolist()) == ([300, 605], [604, 909])


def test_a_blind_second_begins_the_count_anew() -> None:
    """What was not seen may have been high: 299 seconds after it are not enough."""
    volatility = LOW + LOW + HIGH
    assert spells(at(volatility, blind=300), 1).onsets.tolist() == []
    assert spells(at(volatility, blind=299), 1).onsets.tolist() == [600]


def test_calm_is_where_an_onset_may_follow() -> None:
    """From the 300th second below on, while it lasts."""
    found = calm(at([*LOW, 0.5, 1.5, 0.5]), 1)
    assert np.flatnonzero(found).tolist() == [299, 300]


def test_level_two_is_at_twice_tau() -> None:
    """1.5τ is no onset of it; 2τ is."""
    assert spells(at(LOW + HIGH + [2.0]), 2).onsets.tolist() == [305]


@pytest.mark.parametrize(
    ("before", "after", "is_onset"),
    [
        (0.8, 0.8, False),  # τ comes down on a volatility that stands
        (0.8, 1.2, True),  # it would have crossed the old τ, too
        (0.6, 0.8, True),  # it crosses the new τ by itself
        (0.8, 0.75, False),
    ],
)
def test_a_border_alone_makes_no_onset(before: float, after: float, is_onset: bool) -> None:
    """A bin closes at second 300, and τ is 0.7 from then on."""
    volatility, tau = [*LOW[1:], before, after], [1.0] * QUIET + [0.7]
    found = spells(at(volatility, tau), 1)
    assert len(found) == 1 and found.has_onset.tolist() == [is_onset]


def test_nothing_has_no_spell() -> None:
    """No seconds, none at τ."""
    assert len(spells(at([]), 1)) == 0 and len(calm(at([]), 1)) == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 2]))
def test_a_slow_loop_finds_the_same(seed: int, level: int) -> None:
    """Second by second, from the definition."""
    seconds = Seconds.of(columns(stream(seed, 900)))
    found, quiet, spell = [], 0, False
    for k in range(len(seconds)):
        high = seconds.volatility[k] >= level * seconds.tau[k]
        if high and not spell:
            found.append((k, quiet >= QUIET and not _by_border(seconds, k, level)))
        spell = bool(high or spell)
        quiet = quiet + 1 if seconds.covered[k] and not high else 0
        spell = spell and quiet < QUIET
    mine = spells(seconds, level)
    assert list(zip(mine.start.tolist(), mine.has_onset.tolist(), strict=True)) == found


def _by_border(seconds: Seconds, k: int, level: int) -> bool:
    old, new = level * seconds.tau[k - 1], level * seconds.tau[k]
    return bool(seconds.volatility[k - 1] >= new and seconds.volatility[k] < old)
