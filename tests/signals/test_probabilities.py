"""What scores said beside what came."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.probabilities import (
    Bin,
    Probabilities,
    Sums,
    average_precision,
    cell_of,
    cell_precision,
    probabilities,
    reliability,
    together,
)

CAME = np.array([False, False, True, True])


def test_figures_by_hand() -> None:
    """Four scores, two of which came."""
    found = probabilities(np.array([0.1, 0.3, 0.3, 0.9]), CAME)
    assert (found.n, found.said, found.came) == (4, pytest.approx(0.4), 0.5)
    assert found.brier == pytest.approx((0.01 + 0.09 + 0.49 + 0.01) / 4)
    assert found.log_loss == pytest.approx(-np.log([0.9, 0.7, 0.3, 0.9]).mean())
    assert found.ece == pytest.approx((0.1 + 2 * 0.2 + 0.1) / 4)


def test_tenths_of_the_scale() -> None:
    """Those that hold scores; 1 is in the last."""
    found = reliability(np.array([0.05, 0.95, 1.0]), np.array([False, True, False]))
    assert found == (Bin(1, 0.05, 0.0), Bin(2, pytest.approx(0.975), 0.5))


def test_precision_over_recall_by_hand() -> None:
    """Ranked 1 0 (1 0): half of the recall at precision 1, half at 2 of 4."""
    came = np.array([True, False, True, False])
    assert average_precision(np.array([0.9, 0.8, 0.5, 0.5]), came) == pytest.approx(0.75)
    assert average_precision(np.array([0.9]), np.array([False])) is None


def test_what_says_0_or_1_has_no_log_loss() -> None:
    """A rule is no probability; its Brier score is its share of errors."""
    found = probabilities(np.array([0.0, 1.0, 1.0, 0.0]), CAME)
    assert (found.log_loss, found.brier) == (None, 0.5)


def test_nothing_has_no_figures() -> None:
    """All null, and no tenth."""
    found = probabilities(np.zeros(0), np.zeros(0, np.bool_))
    assert (found.n, found.brier, found.pr_auc, found.bins) == (0, None, None, ())


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.7]), st.booleans()), min_size=1))
def test_order_does_not_matter(pairs: list[tuple[float, bool]]) -> None:
    """Equal scores stand together, so no figure depends on who comes first."""
    one, other = (
        probabilities(np.array([s for s, _ in each]), np.array([c for _, c in each]))
        for each in (pairs, pairs[::-1])
    )
    assert one.pr_auc == other.pr_auc
    assert one.brier == pytest.approx(other.brier) and one.ece == pytest.approx(other.ece)


def summed(score: np.ndarray, came: np.ndarray) -> Sums:
    """Count chances one by one."""
    found = Sums()
    for chance, label in zip(score.tolist(), came.tolist(), strict=True):
        found.add(chance, label)
    return found


def assert_same(one: Probabilities, other: Probabilities) -> None:
    """Compare all figures; PR-AUC takes chances of one cell as equal."""
    for name in ("n", "said", "came", "brier", "log_loss", "ece"):
        expected = getattr(other, name)
        assert getattr(one, name) == (expected and pytest.approx(expected, rel=1e-12)), name
    assert [each.n for each in one.bins] == [each.n for each in other.bins]
    assert one.pr_auc == (other.pr_auc and pytest.approx(other.pr_auc, abs=0.003))


def test_hours_added_up_are_the_whole() -> None:
    """However it is cut."""
    chance = np.random.default_rng(3)
    score = chance.uniform(0.02, 0.95, 5_000)
    came = chance.random(5_000) < score
    parts = [summed(score[at : at + 700], came[at : at + 700]) for at in range(0, 5_000, 700)]
    assert_same(together(parts).figures(), probabilities(score, came))


def test_a_certain_chance_has_no_log_loss() -> None:
    """A rule says 0 or 1."""
    score, came = np.array([0.0, 1.0, 0.4]), np.array([False, True, True])
    assert_same(summed(score, came).figures(), probabilities(score, came))


def test_nothing_is_no_figure() -> None:
    """Not zero."""
    found = together([]).figures()
    assert (found.n, found.said, found.brier, found.bins) == (0, None, None, ())


@pytest.mark.parametrize(("low", "high", "n"), [(0.02, 0.95, 20_000), (0.001, 0.05, 60_000)])
def test_precision_by_cells_is_that_of_the_chances(low: float, high: float, n: int) -> None:
    """Within 0.003 at the levels of both events, and the same where chances stand in the cells."""
    random = np.random.default_rng(5)
    score = np.exp(random.uniform(np.log(low), np.log(high), n))
    came = random.random(n) < score
    found = summed(score, came).figures().pr_auc
    assert found == pytest.approx(average_precision(score, came), abs=0.003)
    coarse = np.array([cell_of(each) for each in score.tolist()], np.float64)
    assert found == pytest.approx(average_precision(coarse, came), rel=1e-12)


def test_precision_by_cells_has_no_figure_where_nothing_came() -> None:
    """Nor where nothing was said; sums added up are those of all."""
    assert cell_precision({}) is None
    assert cell_precision({3: (5, 0)}) is None
    one, other = summed(np.array([0.9, 0.2]), np.array([True, False])), summed(
        np.array([0.9, 0.5]), np.array([False, True])
    )
    assert together([one, other]).cells == {485: (2, 1), 228: (1, 0), 362: (1, 1)}
    assert together([one, other]).figures().pr_auc == pytest.approx(0.5 * 0.5 + 0.5 * 2 / 3)
