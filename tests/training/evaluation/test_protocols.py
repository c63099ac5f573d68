"""Protocols: what learns sees nothing of what it is tested by; where it runs changes nothing."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.training.light import light_candidates
from training.data.parallel import Executor
from training.data.rows import Table
from training.evaluation.measures import rule
from training.evaluation.protocols import (
    LEAVE_GROUP_OUT,
    OWN_TAU,
    WALK_FORWARD,
    evaluate,
    evaluate_as_published,
)
from training.models.candidates import CANDIDATES
from training.models.fitting import fit
from training.models.labelled_set import LabelledSet
from training.models.problem import LearningProblem

MakeTable = Callable[..., Table]
ROWS = 500
FAST = ["rule", "baseline", "har_equal"]


@pytest.fixture(scope="module")
def problem(market_table: MakeTable) -> LearningProblem:
    """Four groups of eight minutes."""
    return LearningProblem.of(market_table(rows=ROWS))


def test_out_of_fold_scores_come_from_other_groups(problem: LearningProblem) -> None:
    """A group's scores are those of a model that never saw it."""
    _, found = evaluate(problem, LEAVE_GROUP_OUT, FAST)
    others = problem.labelled.take(problem.group != 0)
    expected = fit(CANDIDATES["har_equal"], others)["none"]
    first = problem.group == 0
    scores = found[("har_equal", "none")].score
    np.testing.assert_array_equal(scores[first], expected.scores(problem.table.take(first)))
    assert not np.isnan(scores).any()


def test_what_is_tested_does_not_move_the_scores(
    problem: LearningProblem, market_table: MakeTable
) -> None:
    """Other labels and features in the tested group leave its models and thresholds alone."""
    changed = market_table(rows=ROWS)
    last = changed.group == 3
    changed.volatility[last] = 1e-7
    shifted = LearningProblem(
        LabelledSet.of(changed, problem.tau), problem.tau, problem.learned, problem.tau_percentile
    )
    for protocol in (LEAVE_GROUP_OUT, WALK_FORWARD):
        _, one = evaluate(problem, protocol, ["har_equal"])
        _, two = evaluate(shifted, protocol, ["har_equal"])
        for key in one.keys() & two.keys():
            np.testing.assert_array_equal(one[key].score[last], two[key].score[last])
            np.testing.assert_array_equal(one[key].alarm[last], two[key].alarm[last])


def test_walking_forward_leaves_the_first_group_unscored(problem: LearningProblem) -> None:
    """Nothing came before it; the others are scored."""
    _, found = evaluate(problem, WALK_FORWARD, ["rule", "har_equal"])
    assert np.isnan(found[("har_equal", "none")].score[problem.group == 0]).all()
    assert not np.isnan(found[("har_equal", "none")].score[problem.group != 0]).any()
    assert np.isnan(found[("rule", "none")].score[problem.group == 0]).all()


def test_own_tau_comes_from_the_training_part(problem: LearningProblem) -> None:
    """Each fold asks by its own τ, and the rule with it."""
    truth, found = evaluate(problem, OWN_TAU[0], ["rule"])
    others = problem.table.take(problem.group != 2)
    tau = {"BTC-USD": float(np.percentile(others.volatility, 90))}
    tested = problem.table.take(problem.group == 2)
    assert (truth[problem.group == 2] == (tested.volatility >= tau["BTC-USD"])).all()
    alarm = found[("rule", "none")].alarm[problem.group == 2]
    assert (alarm == rule(tested, tau).alarm).all()


def test_a_fold_without_spikes_is_left_out_where_spikes_are_needed(
    market_table: MakeTable,
) -> None:
    """The baseline cannot be evaluated where all spikes are; a forecast can."""
    problem = LearningProblem.of(market_table((1e-5, 1e-5, 1e-2)))
    _, found = evaluate(problem, LEAVE_GROUP_OUT, FAST)
    wild = problem.group == 2
    assert problem.spikes[~wild].sum() == 0
    assert np.isnan(found[("baseline", "none")].score[wild]).all()
    assert not np.isnan(found[("har_equal", "none")].score[wild]).any()


def test_a_random_split_flatters_what_remembers(problem: LearningProblem) -> None:
    """Tested by a fifth of the rows at random, the forest looks far better than it is."""
    with light_candidates():
        published = evaluate_as_published(problem, ["forest", "rule"])[("forest", "none")]
        _, found = evaluate(problem, LEAVE_GROUP_OUT, ["forest"])
    at = published.has_score
    assert at.sum() == round(0.2 * len(problem.spikes))
    honest = found[("forest", "none")]
    flattered = np.mean((published.score[at] - problem.spikes[at]) ** 2)
    assert flattered < np.mean((honest.score[at] - problem.spikes[at]) ** 2)


def test_where_it_runs_changes_nothing(problem: LearningProblem, dask_cluster: str) -> None:
    """In this process, in others and on a Dask cluster, folds and search give equal bits."""
    here = evaluate(problem, LEAVE_GROUP_OUT, ["har_equal", "baseline"])[1]
    for executor in (Executor("processes", 2), Executor("dask", address=dask_cluster)):
        there = evaluate(problem, LEAVE_GROUP_OUT, ["har_equal", "baseline"], executor)[1]
        assert here.keys() == there.keys()
        for key in here:
            np.testing.assert_array_equal(here[key].score, there[key].score)
    one = evaluate_as_published(problem, ["ewma"])
    two = evaluate_as_published(problem, ["ewma"], Executor("dask", address=dask_cluster))
    np.testing.assert_array_equal(one[("ewma", "none")].score, two[("ewma", "none")].score)
