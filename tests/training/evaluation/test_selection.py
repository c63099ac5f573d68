"""The choice: made by honest evidence, and by simplicity where that is silent."""

import numpy as np
import pytest

from training.errors import FitError
from training.evaluation.bootstrap import Interval
from training.evaluation.measures import ScoredRows
from training.evaluation.selection import (
    Evidence,
    choose,
    chosen_methods,
    data_needed,
    holds,
    part_differences,
)
from training.models.calibration import Method

ROWS = 1_500
SECOND = 1_000_000
CHANCE = np.random.default_rng(8)
SPIKES = np.repeat(CHANCE.random(ROWS // 60) < 0.2, 60)


def scored(skill: float, seed: int = 1) -> ScoredRows:
    """Return probabilities that know so much of the spikes."""
    noise = np.random.default_rng(seed).normal(0.0, 0.5, ROWS)
    score = 1 / (1 + np.exp(1.4 - skill * (2 * SPIKES - 0.4) - noise))
    return ScoredRows(score, score >= 0.5)


def evidence(**skills: float) -> Evidence:
    """Return evidence in which each candidate has some skill; the rule's is 1."""
    by_key: dict[tuple[str, Method], ScoredRows] = {
        (name, "sigmoid"): scored(skill, seed) for seed, (name, skill) in enumerate(skills.items())
    }
    rule = scored(1.0, 99)
    by_key |= {("rule", "none"): rule, ("baseline", "none"): scored(0.2, 98)}
    halves = {"early": np.arange(ROWS) < ROWS // 2, "late": np.arange(ROWS) >= ROWS // 2}
    return Evidence(SPIKES, np.arange(ROWS, dtype=np.int64) * SECOND, by_key, halves)


def test_what_beats_the_rule_wins() -> None:
    """A real lift is decided for."""
    choice = choose(evidence(har_equal=1.0, forest=3.0))
    assert choice.key == ("forest", "sigmoid")
    assert choice.decidable
    assert choice.verdict.startswith("decided")


def test_ties_go_to_the_simpler() -> None:
    """Of two that beat the rule alike, the one with fewer numbers wins."""
    alike = evidence(har_equal=3.0)
    twin = alike.scored[("har_equal", "sigmoid")]
    choice = choose(
        Evidence(
            alike.spikes,
            alike.time_us,
            {**alike.scored, ("forest", "sigmoid"): twin, ("logistic", "sigmoid"): twin},
            alike.parts,
        )
    )
    assert choice.key[0] == "har_equal"


def test_where_nothing_is_decided_the_simplest_sound_model_wins() -> None:
    """No lift beyond the interval: not decidable, and the fewest numbers."""
    even = evidence(har_equal=1.0, har_fitted=1.0)
    rule = even.rule
    scored = {**even.scored, ("har_equal", "sigmoid"): rule, ("har_fitted", "sigmoid"): rule}
    choice = choose(Evidence(even.spikes, even.time_us, scored, even.parts))
    assert choice.key[0] == "har_equal"
    assert not choice.decidable
    assert choice.verdict.startswith("not decidable: no candidate beats the rv60 rule")


def test_what_is_worse_than_the_rule_is_not_chosen_for_being_simple() -> None:
    """A simple model that misses the rule's figures yields to one that holds them."""
    found = evidence(har_equal=-1.0)
    scored = {**found.scored, ("forest", "sigmoid"): found.rule}
    choice = choose(Evidence(found.spikes, found.time_us, scored, found.parts))
    assert choice.key[0] == "forest"
    assert choice.result("har_equal").worse_in == ("early", "late")


def test_where_nothing_is_decided_the_calibrated_rule_is_to_be_held_too() -> None:
    """A simple model that holds the rule's figures but not its PR-AUC yields to one that does."""
    even = evidence(har_equal=1.0, har_fitted=1.0)
    better = scored(1.1, 7)
    calibrated = ScoredRows(0.5 * better.score, better.alarm)
    simple, fitted, reference = (
        ("har_equal", "sigmoid"),
        ("har_fitted", "sigmoid"),
        ("last", "sigmoid"),
    )
    by_key = even.scored | {simple: even.rule, fitted: better, reference: calibrated}
    found = Evidence(even.spikes, even.time_us, by_key, {})
    assert [holds(found, key, reference) for key in (simple, fitted)] == [False, True]
    choice = choose(found)
    assert (choice.key, choice.decidable) == (fitted, False)


def test_a_reference_never_wins() -> None:
    """Rule and baseline are compared with; without a candidate there is no choice."""
    with pytest.raises(FitError, match="expected one"):
        choose(evidence())


def test_a_candidate_with_unscored_rows_is_not_open_to_choice() -> None:
    """Its figures are of other rows than the rule's."""
    found = evidence(har_equal=1.0, forest=3.0)
    found.scored[("forest", "sigmoid")].score[:100] = np.nan
    assert choose(found).key[0] == "har_equal"


def test_a_calibration_that_scored_every_row_is_chosen_by_its_brier_score() -> None:
    """Fewer rows or a higher score lose; a bare score stands only where nothing else does."""
    few = scored(3.0)
    few.score[:100] = np.nan
    by_key: dict[tuple[str, Method], ScoredRows] = {
        ("forest", "none"): scored(2.5),
        ("forest", "sigmoid"): scored(2.0),
        ("forest", "errors"): scored(1.0),
        ("forest", "isotonic"): few,
        ("logistic", "none"): scored(1.0),
    }
    found = Evidence(SPIKES, np.arange(ROWS, dtype=np.int64) * SECOND, by_key, {})
    assert chosen_methods(found) == {"forest": "sigmoid", "logistic": "none"}


def test_a_part_without_scores_has_no_difference() -> None:
    """Where nothing was scored there is nothing to compare."""
    found = evidence(har_equal=1.0)
    found.scored[("har_equal", "sigmoid")].score[: ROWS // 2] = np.nan
    assert part_differences(found, ("har_equal", "sigmoid"), "early") is None


def test_twice_the_width_takes_four_times_the_data() -> None:
    """An interval shrinks with the root of the episodes."""
    need = data_needed(Interval(0.05, -0.05, 0.15), hours=1.5, episodes=3)
    assert (need["times"], need["hours"], need["episodes"]) == (4.0, 6, 12)
    assert data_needed(Interval(0.0, -1.0, 1.0), 1.0, 3)["at_least"]
