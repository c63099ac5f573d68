"""A scorer opens only where every golden row has its score again."""

from math import nan
from pathlib import Path
from typing import Any

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline

from featurizer.features import EXAMPLE, FEATURES, NAMES, REQUIRED, digest_of
from serving.artifact import ArtifactError, load_folder, write_folder
from serving.linear import Linear, positions_of
from serving.predictor import (
    PipelinePredictor,
    RelativePredictor,
    open_predictor,
    outputs_of,
)
from serving.relative import Relative

USED = ("spread_mean_60s", "realized_volatility_60s", "log_return_300s")


@pytest.fixture(scope="session")
def forest(market: Any) -> Pipeline:
    """A model that is no linear one, on three of the features in an order of its own."""
    columns = [NAMES.index(name) for name in USED]
    model = make_pipeline(SimpleImputer(), RandomForestClassifier(5, max_depth=3, random_state=0))
    return model.fit(market.matrix[:, columns], market.spikes)


def test_linear_model_is_served_by_its_numbers(folder: Path) -> None:
    """Where Linear and Pipeline agree, the Linear serves."""
    assert isinstance(open_predictor(load_folder(folder)), Linear)


def test_linear_model_alone_needs_no_library(
    tmp_path: Path, baseline: Linear, card_of: Any
) -> None:
    """Without a Pipeline nothing is unpickled, whatever is installed."""
    path = tmp_path / "baseline"
    write_folder(path, variant="baseline", linear=baseline, card=card_of(baseline.score))
    assert open_predictor(load_folder(path), lambda _: "not installed") == baseline


def test_other_kind_is_served_by_its_pipeline(
    tmp_path: Path, market: Any, forest: Pipeline, card_of: Any
) -> None:
    """A forest is served row by row, from the features it names, in the order it names them."""
    trees = PipelinePredictor(forest, positions_of(USED))
    path = tmp_path / "forest"
    card = card_of(trees.score)
    write_folder(path, variant="forest", linear=None, card=card, pipeline=forest, features=USED)
    scorer = open_predictor(load_folder(path))
    columns = [NAMES.index(name) for name in USED]
    expected = forest.predict_proba(market.matrix[:20][:, columns])[:, 1]
    assert [scorer.score(row) for row in market.rows[:20]] == pytest.approx(expected, abs=1e-12)


def test_a_pipeline_of_before_takes_its_features_where_they_were(
    tmp_path: Path, market: Any, forest: Pipeline, card_of: Any
) -> None:
    """Trained when there were the first features alone, it gives its golden scores again."""
    card = card_of(
        PipelinePredictor(forest, positions_of(USED)).score,
        features_digest=digest_of(FEATURES[: len(REQUIRED)]),
    )
    card["golden"]["rows"] = [row[: len(REQUIRED)] for row in card["golden"]["rows"]]
    path = tmp_path / "forest"
    write_folder(path, variant="forest", linear=None, card=card, pipeline=forest, features=USED)
    scorer = open_predictor(load_folder(path))
    assert [scorer.score(row) for row in market.rows[:6]] == card["golden"]["scores"][:6]


def test_numbers_and_pipeline_that_differ_are_refused(
    tmp_path: Path, market: Any, linear: Linear, pipeline: Pipeline, card_of: Any
) -> None:
    """A Pipeline that scores otherwise than the numbers beside it never serves."""
    other = make_pipeline(*(type(step)() for _, step in pipeline.steps))
    other.fit(market.matrix, 1 - market.spikes)
    path = tmp_path / "ml"
    write_folder(path, variant="ml", linear=linear, card=card_of(linear.score), pipeline=other)
    with pytest.raises(ArtifactError, match="PipelinePredictor scores golden row 0"):
        open_predictor(load_folder(path))


def test_golden_score_that_is_missed_is_refused(
    tmp_path: Path, linear: Linear, card_of: Any
) -> None:
    """A golden score that is off by more than rounding is refused, with both numbers."""
    card = card_of(lambda row: min(1.0, linear.score(row) + 1e-9))
    path = tmp_path / "ml"
    write_folder(path, variant="ml", linear=linear, card=card)
    with pytest.raises(ArtifactError, match=r"Linear scores golden row 0 0\.\d+, expected 0\.\d+"):
        open_predictor(load_folder(path))


def test_kind_pipeline_without_a_pipeline_is_refused(tmp_path: Path, card_of: Any) -> None:
    """A folder that says it is a Pipeline and has none cannot serve."""
    path = tmp_path / "ml"
    write_folder(path, variant="ml", linear=None, card=card_of(lambda _: 0.5))
    with pytest.raises(ArtifactError, match=r"found no model\.joblib"):
        open_predictor(load_folder(path))


def test_a_model_in_units_of_the_level(relative_folder: Path, relative: Relative) -> None:
    """A row has its own τ, or the card's default where it has none."""
    predictor = open_predictor(load_folder(relative_folder))
    row = [EXAMPLE[name] for name in NAMES]
    assert isinstance(predictor, RelativePredictor)
    assert predictor.chances([*row, 0.0009]) == relative.chances(row, 0.0009)
    for unknown in (row, [*row, None], [*row, nan]):
        assert predictor.chances(unknown) == relative.chances(row, 0.0006)
    assert predictor.score(row) == relative.chances(row, 0.0006).score


def test_a_model_of_before_does_not_see_the_level(folder: Path, linear: Linear) -> None:
    """It has one output, from the features alone."""
    row = [EXAMPLE[name] for name in NAMES]
    predictor = open_predictor(load_folder(folder))
    assert outputs_of(predictor, [[*row, 0.0009]]) == {"score": [linear.score(row)]}


@pytest.mark.parametrize("name", ["scores", "severe"])
def test_golden_chances_that_are_missed_are_refused(
    tmp_path: Path, relative: Relative, relative_card: Any, name: str
) -> None:
    """Both outputs have to be as they were."""
    golden = relative_card["golden"]
    card = relative_card | {"golden": golden | {name: [x + 1e-9 for x in golden[name]]}}
    write_folder(tmp_path / "ml", variant="ml", linear=relative, card=card)
    with pytest.raises(ArtifactError, match="RelativePredictor scores golden row 0"):
        open_predictor(load_folder(tmp_path / "ml"))
