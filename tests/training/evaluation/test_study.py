"""All protocols over all candidates, put together."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from training.data.rows import Table
from training.errors import FitError
from training.evaluation.measures import ScoredRows
from training.evaluation.protocols import LEAVE_GROUP_OUT, evaluate
from training.evaluation.study import Evaluation, evidence_of, parts_of, picked_apart, study
from training.models.problem import LearningProblem

MakeTable = Callable[..., Table]


@pytest.fixture(scope="module")
def problem(market_table: MakeTable) -> LearningProblem:
    """Four groups of five minutes."""
    return LearningProblem.of(market_table(rows=300))


def captures(problem: LearningProblem) -> SimpleNamespace:
    """Return a dataset's captures, by file."""
    files = [f"{number}.ndjson" for number in range(1 + int(problem.table.capture.max()))]
    return SimpleNamespace(
        captures=[SimpleNamespace(file=file) for file in files], group=problem.table.group
    )


def test_parts_are_captures_then_regimes(problem: LearningProblem) -> None:
    """Each row is in one capture and in one regime."""
    dataset = captures(problem)
    parts = parts_of(dataset, problem)
    names = [each.file for each in dataset.captures]
    assert list(parts)[: len(names)] == names and len(parts) > len(names)
    for part in (names, [name for name in parts if name not in names]):
        assert np.sum([parts[name] for name in part], axis=0).tolist() == [1] * len(problem.table)


def test_evidence_is_of_the_products_learned_from(problem: LearningProblem) -> None:
    """Truth, times, scores and parts are cut to the same rows."""
    evaluation = Evaluation(*evaluate(problem, LEAVE_GROUP_OUT, ["rule", "har_equal"]))
    found = evidence_of(problem, evaluation, parts_of(captures(problem), problem))
    rows = int(problem.core.sum())
    assert len(found.spikes) == len(found.time_us) == rows
    assert {len(each.score) for each in found.scored.values()} == {rows}
    assert {len(part) for part in found.parts.values()} == {rows}
    assert found.spikes.tolist() == problem.spikes[problem.core].tolist()


def test_a_calibration_that_was_not_evaluated_is_answered_by_none() -> None:
    """The same candidate without calibration stands in; of another candidate there is nothing."""
    plain = ScoredRows(np.array([0.5]), np.array([True]))
    evaluation = Evaluation(np.array([True]), {("rule", "none"): plain})
    assert evaluation.of(("rule", "sigmoid")) is plain
    assert evaluation.of(("forest", "sigmoid")) is None


def test_a_candidate_alone_has_its_calibration_picked_apart() -> None:
    """The calibrated rule keeps what all groups pick, which flatters it and nobody else."""
    spikes = np.array([True, True, False, False])
    problem = SimpleNamespace(core=np.ones(4, np.bool_), group=np.array([0, 1, 0, 1]))
    ways = {
        "sigmoid": ScoredRows(np.array([0.9, 0.2, 0.0, 0.0]), spikes),
        "isotonic": ScoredRows(np.array([0.5, 0.5, 0.0, 0.0]), spikes),
    }
    scored = {(name, way): of for name in ("last", "har_equal") for way, of in ways.items()}
    methods = {"last": "isotonic", "har_equal": "isotonic"}
    found = picked_apart(problem, Evaluation(spikes, scored), methods)
    assert found.scored[("last", "isotonic")] is ways["isotonic"]
    assert found.scored[("har_equal", "isotonic")].score.tolist() == [0.5, 0.2, 0.0, 0.0]


def test_a_capture_too_short_to_be_parted_is_refused(market_table: MakeTable) -> None:
    """One group, and too few minutes in it to walk through: no choice is made."""
    problem = LearningProblem.of(market_table(levels=(3e-4,), rows=200))
    with pytest.raises(FitError, match="found 1 group of captures, too short to be parted"):
        study(captures(problem), problem, lambda text: None)
