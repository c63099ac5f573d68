"""Chances in units of τ: known windows, bounds, and what is refused."""

import json
from math import exp, inf, log, nan, sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurizer.features import NAMES
from serving.errors import ArtifactError
from serving.relative import VOLATILITIES, WINDOWS, Chances, Relative

SCORE = ((-1.0, 1.5), (-1.1, 1.0, 0.5), (-1.2, 0.9, 0.4, 0.3), (-1.3, 0.8, 0.3, 0.2, 0.4))
SEVERE = tuple((each[0] - 2.0, *each[1:]) for each in SCORE)
MODEL = Relative("ml", SCORE, SEVERE, Chances(0.09, 0.02))
volatility = st.none() | st.floats(0, 1e300) | st.just(nan)


def row_of(*volatilities: float | None) -> list[float | None]:
    """A row that knows these volatilities, of the shortest windows, and nothing else."""
    found: list[float | None] = [None] * len(NAMES)
    for name, value in zip(VOLATILITIES, volatilities, strict=False):
        found[NAMES.index(name)] = value
    return found


@pytest.mark.parametrize("known", range(1, 5))
def test_worked_example(known: int) -> None:
    """Each number of known windows has its own coefficients, each window its own scale."""
    tau, values = 0.0006, [0.0005, 0.0015, 0.0021, 0.0052][:known]
    x = [log(rv * sqrt(60 / w) / tau) for rv, w in zip(values, WINDOWS, strict=False)]
    odds = SCORE[known - 1][0] + sum(a * b for a, b in zip(SCORE[known - 1][1:], x, strict=True))
    found = MODEL.chances(row_of(*values), tau)
    assert found.score == pytest.approx(1 / (1 + exp(-odds)), rel=1e-12)
    assert found.severe == pytest.approx(1 / (1 + exp(2.0 - odds)), rel=1e-12)


@pytest.mark.parametrize("unknown", [None, nan])
def test_beyond_the_first_unknown_window_nothing_counts(unknown: float | None) -> None:
    """A window that is known again after an unknown one says nothing."""
    alone = MODEL.chances(row_of(0.001), 0.0006)
    assert MODEL.chances(row_of(0.001, unknown, 0.5, 0.5), 0.0006) == alone


def test_without_any_window_it_is_the_base_rates() -> None:
    """What is unknown is unknown, and not calm."""
    assert MODEL.chances(row_of(None, 0.5, 0.5, 0.5), 0.0006) == Chances(0.09, 0.02)


def test_a_standing_market_is_a_fiftieth_of_the_level() -> None:
    """A volatility of 0 has a logarithm, that of the floor."""
    rule = Relative("baseline", ((3.0, 1.0),), ((2.0, 1.0),), Chances(0.1, 0.01))
    assert rule.chances(row_of(0.0), 1.0) == rule.chances(row_of(0.02), 1.0)
    assert rule.chances(row_of(0.5, 9.0), 1.0) == rule.chances(row_of(0.5), 1.0)
    assert rule.features == ("realized_volatility_60s",)


@settings(deadline=None)
@given(values=st.tuples(volatility, volatility, volatility, volatility), tau=st.floats(1e-300, 1e9))
def test_bounds(values: Any, tau: float) -> None:
    """Whatever comes, score and severe keep to theirs, and severe is never above score."""
    found = MODEL.chances(row_of(*values), tau)
    assert 0.02 <= found.score <= 0.95
    assert 0.001 <= found.severe <= found.score


@settings(deadline=None)
@given(tau=st.floats(1e-5, 1e-2), times=st.sampled_from([0.25, 2.0, 8.0]))
def test_units_of_the_level_alone_count(tau: float, times: float) -> None:
    """A market twice as wild at a level twice as high has the same chances."""
    values = [0.0005, 0.0015, 0.0021, 0.0052]
    wilder = row_of(*(times * value for value in values))
    assert MODEL.chances(wilder, times * tau) == MODEL.chances(row_of(*values), tau)


@pytest.mark.parametrize("tau", [0.0, -1e-3, nan, inf])
def test_a_level_that_is_none_is_refused(tau: float) -> None:
    """τ is finite and above 0."""
    with pytest.raises(ValueError, match=r"found tau .* expected a finite number above 0"):
        MODEL.chances(row_of(0.001), tau)


def test_round_trip() -> None:
    """What is written is read, with equal bits."""
    assert Relative.of(json.loads(json.dumps(MODEL.document()))) == MODEL


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "linear"}, "found|model.json is 'linear'"),
        ({"windows": [60]}, r"found windows \[60\]"),
        ({"score": []}, "score has sets of"),
        ({"score": [[1.0, 2.0, 3.0]]}, "score has sets of"),
        ({"severe": [[1.0, 2.0]]}, "4 sets of score and 1 of severe"),
        ({"severe": [[1.0, "a"]]}, "what is no number"),
        ({"score": [[inf, 1.0]]}, "expected finite numbers"),
        ({"base_rates": {"score": 0.1, "severe": 0.2}}, "expected 0 < severe <= score < 1"),
        ({"base_rates": {"score": 0.1}}, "model.json has no 'severe'"),
    ],
)
def test_what_is_no_model_is_refused(change: dict[str, Any], message: str) -> None:
    """Each says what was found and what was expected."""
    with pytest.raises(ArtifactError, match=message):
        Relative.of(MODEL.document() | change)
