"""Calibration: on a later slice, and no bolder than its few independent minutes allow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from training.data.splits import label_end_us
from training.models.calibration import CalibratedPipeline, Isotonic, Sigmoid, later_slice

SECOND = 1_000_000


@given(rows=st.integers(10, 2000), step=st.integers(1, 40))
def test_no_label_of_the_earlier_part_reaches_the_later(rows: int, step: int) -> None:
    """The later part is a quarter of the rows, and the earlier one is purged."""
    time_us = np.arange(rows, dtype=np.int64) * step * SECOND + 77
    early, late = later_slice(time_us)
    assert len(late) == rows - int(rows * 0.75)
    assert not len(early) or label_end_us(time_us[early]).max() <= time_us[late].min()


def test_a_second_is_never_cut() -> None:
    """Two products of one second stand on the same side."""
    time_us = np.repeat(np.arange(401, dtype=np.int64), 2) * SECOND
    _, late = later_slice(time_us)
    assert time_us[late[0] - 1] < time_us[late[0]]


def test_a_sigmoid_finds_what_is_wrong_when_there_is_much_to_see() -> None:
    """Scores twice too bold are drawn half way in."""
    chance = np.random.default_rng(1)
    truth = chance.normal(0.0, 1.5, 60_000)
    found = Sigmoid.fit(expit(2 * truth), chance.random(60_000) < expit(truth))
    assert found.slope == pytest.approx(0.5, abs=0.03)
    assert found.offset == pytest.approx(0.0, abs=0.05)


def test_a_sigmoid_changes_little_when_there_is_little_to_see() -> None:
    """Two minutes of one class do not move the scores to it."""
    scores = np.full(120, 0.5)
    found = Sigmoid.fit(scores, np.zeros(120, dtype=np.bool_))
    assert 0.2 < float(found(scores)[0]) < 0.45


def test_a_sigmoid_is_a_line_in_log_odds() -> None:
    """So that a linear model stays one."""
    scores = np.array([1e-15, 0.2, 0.9, 1.0])
    found = Sigmoid(1.5, -0.3)(scores)
    assert logit(found[1:3]) == pytest.approx(1.5 * logit(scores[1:3]) - 0.3)
    assert ((found >= 0) & (found <= 1)).all()


def test_isotonic_steps_rise() -> None:
    """Higher scores are never calibrated lower, and beyond the slice all is flat."""
    chance = np.random.default_rng(2)
    scores = chance.random(500)
    found = Isotonic.fit(scores, chance.random(500) < scores)(np.linspace(0, 1, 50))
    assert (np.diff(found) >= 0).all()


def test_a_calibrated_pipeline_gives_two_columns() -> None:
    """It can be served in place of the bare pipeline."""

    class Half:
        def predict_proba(self, X: object) -> np.ndarray:
            return np.array([[0.5, 0.5]])

    found = CalibratedPipeline(Half(), Sigmoid(1.0, 1.0)).predict_proba([[0.0]])
    assert found == pytest.approx(np.array([[1 - expit(1.0), expit(1.0)]]))
