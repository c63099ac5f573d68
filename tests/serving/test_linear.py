"""A Linear scores like scikit-learn, bears what is unknown and refuses what is wrong."""

from dataclasses import replace
from math import inf, log, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline

from featurizer.features import NAMES
from serving.errors import ArtifactError
from serving.linear import Linear, Log, logistic

HALF = Linear(
    variant="t",
    features=("spread_mean_60s", "realized_volatility_60s"),
    impute=(3.0, 0.0),
    mean=(1.0, 0.0),
    scale=(2.0, 1.0),
    coef=(1.0, -4.0),
    intercept=0.5,
)
LOGS = replace(HALF, impute=(3.0, 0.5), transform=(Log(1e-9), Log(1e-5)))
finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.none() | finite


def row_of(**known: float | None) -> list[float | None]:
    """A row in the order of NAMES, unknown but for what is named."""
    return [known.get(name) for name in NAMES]


def test_score_takes_features_by_name() -> None:
    """The logit is intercept plus coef times deviation, whatever the order of the features."""
    row = row_of(realized_volatility_60s=0.25, spread_mean_60s=5.0)
    assert HALF.score(row) == logistic(0.5 + 1.0 * (5 - 1) / 2 - 4.0 * 0.25)


@pytest.mark.parametrize("unknown", [None, nan])
def test_unknown_is_imputed(unknown: float | None) -> None:
    """None and NaN score as the imputed value does."""
    known = HALF.score(row_of(realized_volatility_60s=0.25, spread_mean_60s=3.0))
    assert HALF.score(row_of(realized_volatility_60s=0.25, spread_mean_60s=unknown)) == known


def test_linear_equals_the_pipeline(market: Any, linear: Linear, pipeline: Pipeline) -> None:
    """Every generated row scores as predict_proba within 1e-12, unknown values included."""
    expected = pipeline.predict_proba(market.matrix)[:, 1]
    found = np.array([linear.score(row) for row in market.rows])
    assert np.isnan(market.matrix).any()
    assert np.abs(found - expected).max() <= 1e-12


@settings(deadline=None)
@given(row=st.lists(values, min_size=len(NAMES), max_size=len(NAMES)))
def test_linear_equals_the_pipeline_on_any_sane_row(
    row: list[float | None], linear: Linear, pipeline: Pipeline
) -> None:
    """Any row of moderate values scores as predict_proba within 1e-12."""
    row = [None if x is None else x % 1.0 for x in row]
    matrix = np.array([[nan if x is None else x for x in row]])
    assert linear.score(row) == pytest.approx(pipeline.predict_proba(matrix)[0, 1], abs=1e-12)


@settings(deadline=None)
@given(row=st.lists(values, min_size=len(NAMES), max_size=len(NAMES)))
def test_any_finite_row_has_a_score(row: list[float | None], linear: Linear) -> None:
    """The score is in [0, 1] for every finite row, however absurd."""
    assert 0.0 <= linear.score(row) <= 1.0


def test_opposite_extremes_have_a_score() -> None:
    """Terms that overflow to both infinities still give a probability."""
    row = row_of(realized_volatility_60s=1.7e308, spread_mean_60s=1.7e308)
    assert 0.0 <= replace(HALF, coef=(9.0, -9.0)).score(row) <= 1.0


@pytest.mark.parametrize("value", [inf, -inf])
def test_infinity_is_refused_by_name(value: float) -> None:
    """An infinite value raises and names the feature."""
    with pytest.raises(ValueError, match=r"spread_mean_60s is -?inf"):
        HALF.score(row_of(spread_mean_60s=value))


def test_row_of_another_length_is_refused() -> None:
    """A row needs one value for each name."""
    with pytest.raises(ValueError, match=f"found 11 values, expected {len(NAMES)}"):
        HALF.score([0.0] * 11)


@settings(deadline=None)
@given(logit=finite)
def test_logistic_is_symmetric(logit: float) -> None:
    """The two ends add up to one and neither overflows."""
    assert logistic(logit) + logistic(-logit) == pytest.approx(1.0, abs=1e-15)


def test_document_round_trip(linear: Linear) -> None:
    """model.json read again is the same model."""
    assert Linear.of(linear.document()) == linear


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": ["spread_mean_60s", "moon_phase"]}, "moon_phase"),
        ({"features": ["spread_mean_60s", "spread_mean_60s"]}, "each once"),
        ({"features": [], "impute": [], "mean": [], "scale": [], "coef": []}, "found features"),
        ({"coef": [1.0]}, "coef has 1 numbers, expected 2"),
        ({"coef": [1.0, nan]}, "coef is .*expected finite"),
        ({"scale": [1.0, 0.0]}, "expected numbers above 0"),
        ({"intercept": inf}, "intercept"),
        ({"intercept": "a lot"}, "no number"),
        ({"mean": None}, "no number"),
        ({"kind": "forest"}, "'forest' 1, expected 'linear' 1"),
        ({"schema_version": 2}, "'linear' 2, expected 'linear' 1"),
    ],
)
def test_wrong_document_is_refused(change: dict[str, Any], message: str) -> None:
    """A document that cannot be right says what is wrong with it."""
    with pytest.raises(ArtifactError, match=message):
        Linear.of(HALF.document() | change)


def test_missing_field_is_named() -> None:
    """A document without coefficients says so."""
    document = HALF.document()
    del document["coef"]
    with pytest.raises(ArtifactError, match="no 'coef'"):
        Linear.of(document)


def test_a_volatility_may_go_in_as_its_logarithm() -> None:
    """A feature with a transform goes in as ln(max(x, floor)), an imputed one too."""
    row = row_of(realized_volatility_60s=0.25, spread_mean_60s=5.0)
    assert LOGS.score(row) == logistic(0.5 + (log(5.0) - 1) / 2 - 4.0 * log(0.25))
    known = LOGS.score(row_of(realized_volatility_60s=0.5, spread_mean_60s=3.0))
    assert LOGS.score(row_of()) == known
    assert LOGS.score(row_of(realized_volatility_60s=0.0)) == LOGS.score(
        row_of(realized_volatility_60s=1e-5)
    )


@settings(deadline=None)
@given(row=st.lists(values, min_size=len(NAMES), max_size=len(NAMES)))
def test_logarithms_bear_any_finite_row(row: list[float | None]) -> None:
    """Zero, negative and absurd values have a score too."""
    assert 0.0 <= LOGS.score(row) <= 1.0


@pytest.mark.parametrize("value", [inf, -inf])
def test_logarithms_do_not_hide_infinity(value: float) -> None:
    """An infinite value is refused, also where a floor would swallow it."""
    with pytest.raises(ValueError, match=r"spread_mean_60s is -?inf"):
        LOGS.score(row_of(spread_mean_60s=value))


def test_a_document_with_logarithms_comes_back() -> None:
    """Transforms stand in model.json; a document without them stays as it was."""
    assert Linear.of(LOGS.document()) == LOGS
    assert LOGS.document()["transform"] == [
        {"kind": "log", "floor": 1e-9},
        {"kind": "log", "floor": 1e-5},
    ]
    assert "transform" not in HALF.document()


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ([None], "transform has 1 numbers, expected 2"),
        ([None, {"kind": "root"}], "expected null or a log"),
        ([None, {"kind": "log"}], "no 'floor'"),
        ([None, {"kind": "log", "floor": 0.0}], "floors above 0"),
    ],
)
def test_a_wrong_transform_is_refused(transform: list[Any], message: str) -> None:
    """A transform that cannot be applied says so."""
    with pytest.raises(ArtifactError, match=message):
        Linear.of(HALF.document() | {"transform": transform})
