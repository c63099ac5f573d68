"""How to calibrate is never picked on the group that is judged."""

import numpy as np
import pytest

from training.evaluation.measures import ScoredRows
from training.evaluation.nested import nested
from training.evaluation.selection import Evidence, chosen_methods

A_GROUP = 100
GROUP = np.repeat([0, 1, 2], A_GROUP)
SPIKES = np.tile(np.arange(A_GROUP) % 10 == 0, 3)
EVERY = np.ones(len(GROUP), np.bool_)


def says(*of_spikes: float) -> ScoredRows:
    """Return scores that give spikes this chance in each group, and all else 0.1; NaN: none."""
    chance = np.repeat(of_spikes, A_GROUP)
    score = np.where(np.isnan(chance) | SPIKES, chance, 0.1)
    return ScoredRows(score, score > 0.5)


GOOD_AT_0 = says(0.99, 0.4, 0.4)
"""Excellent in group 0 alone, there so much that it wins over all groups together."""
EVEN = says(0.5, 0.5, 0.5)


def test_a_group_has_no_say_in_its_own_calibration() -> None:
    """What wins by group 0 judges the other groups; group 0 has what these two pick."""
    scored = {("m", "sigmoid"): GOOD_AT_0, ("m", "isotonic"): EVEN}
    methods = chosen_methods(Evidence(SPIKES, GROUP, scored, {}))
    assert methods == {"m": "sigmoid"}
    found = nested(SPIKES, scored, EVERY, GROUP, methods)[("m", "sigmoid")]
    assert found.score[SPIKES & (GROUP == 0)] == pytest.approx(0.5)
    assert found.score[SPIKES & (GROUP > 0)] == pytest.approx(0.4)
    assert np.array_equal(found.alarm, found.score > 0.5)


def test_what_its_own_rows_say_changes_nothing_there() -> None:
    """With other outcomes in group 0 its scores stay the same, bit for bit."""
    scored = {("m", "sigmoid"): GOOD_AT_0, ("m", "isotonic"): EVEN}
    other = np.where(GROUP == 0, ~SPIKES, SPIKES)
    both = [nested(each, scored, EVERY, GROUP, {"m": "sigmoid"}) for each in (SPIKES, other)]
    first, second = (found[("m", "sigmoid")].score[GROUP == 0] for found in both)
    assert np.array_equal(first, second)


def test_products_that_are_not_learned_from_pick_nothing() -> None:
    """Only rows of the core do; all rows have the scores."""
    scored = {("m", "sigmoid"): says(0.9, 0.2, 0.2), ("m", "isotonic"): EVEN}
    core = GROUP != 0
    found = nested(SPIKES, scored, core, GROUP, {"m": "isotonic"})[("m", "isotonic")]
    assert found.score[SPIKES] == pytest.approx(0.5)


def test_a_single_group_takes_the_simplest_calibration() -> None:
    """There is nothing to pick by, and a bare score is none; nor is one with fewer rows."""
    scored = {
        ("m", "none"): says(0.8, 0.8, 0.8),
        ("m", "errors"): says(float("nan"), 0.8, 0.8),
        ("m", "sigmoid"): GOOD_AT_0,
        ("m", "isotonic"): EVEN,
    }
    one = np.zeros(len(GROUP), np.int64)
    found = nested(SPIKES, scored, EVERY, one, {"m": "isotonic"})[("m", "isotonic")]
    assert np.array_equal(found.score, GOOD_AT_0.score)
