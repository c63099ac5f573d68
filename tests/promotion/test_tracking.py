"""A run folder becomes runs, models and a version in MLflow; aliases follow the promotion log."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from featurizer.features import NAMES
from promotion.log import Promotion
from promotion.model_pair import digests_in, folders_in, pair_digest
from promotion.promoter import Promoter
from promotion.run_folder import RECORD, read_run
from promotion.tracking.connection import EXPERIMENT, TrackingError, connected, experiment
from promotion.tracking.registry import NAME, fetch
from promotion.tracking.runs import TrackedRun, crown, log_run, numbers_of, tracked_at
from serving.artifact import load_folder

MakeRun = Callable[..., Path]


def silent(_: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class Where:
    """The settings that say where MLflow is."""

    tracking: Path
    tracking_uri: str = ""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A store in which one training is logged."""

    settings: Where
    run: Path
    logged: TrackedRun
    make_run: MakeRun = field(repr=False)


@pytest.fixture(scope="session")
def tracked(
    make_run: MakeRun, tracking_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Tracked:
    """A training, logged once."""
    settings = Where(tracking_folder)
    run = make_run(tmp_path_factory.mktemp("run") / "first", 1)
    return Tracked(settings, run, log_run(run, settings), make_run)


@pytest.fixture
def mlflow(tracked: Tracked) -> Any:
    """MLflow's library, connected to the store."""
    with connected(tracked_at(tracked.settings)) as library:
        yield library


def test_a_run_has_what_the_folder_has(tracked: Tracked, mlflow: Any) -> None:
    """Parameters, dataset, metrics, plots and the report stand in the run."""
    found = mlflow.get_run(tracked.logged.run_id)
    assert found.info.run_name == "logistic_regression 11-22 20:00"
    assert found.data.tags["training.run_id"] == "first"
    assert found.data.params["tau_percentile"] == "90.0"
    assert found.data.params["dataset_digest"] == f"{1:064x}"
    assert found.data.metrics == {"pooled/brier": 0.05}
    assert [each.dataset.digest for each in found.inputs.dataset_inputs] == ["0" * 12]
    client = mlflow.MlflowClient()
    names = {each.path for each in client.list_artifacts(tracked.logged.run_id)}
    assert names == {"report.html", "report.json", RECORD, "plots"}
    about = found.data.tags["mlflow.note.content"]
    assert "- verdict: not decidable" in about
    assert "| **logistic_regression** | – | – | – | – | 0.05 | – | – |" in about


def test_candidates_are_nested_runs(tracked: Tracked, mlflow: Any) -> None:
    """Each candidate has a run of its own beneath, with its own metrics."""
    number = mlflow.get_experiment_by_name(EXPERIMENT).experiment_id
    runs = mlflow.MlflowClient().search_runs(
        [number], f"tags.`mlflow.parentRunId` = '{tracked.logged.run_id}'"
    )
    briers = {run.info.run_name: run.data.metrics["pooled/brier"] for run in runs}
    assert briers == {"logistic_regression": 0.05, "baseline": 0.07, "rv60_rule": 0.08}


def test_the_logged_model_scores_as_serving_does(tracked: Tracked, mlflow: Any) -> None:
    """The version loads by its alias, and gives the golden scores for the golden rows."""
    model = mlflow.pyfunc.load_model(f"models:/{NAME}/{tracked.logged.version}")
    folder = tracked.run / "candidates" / "logistic_regression"
    golden = load_folder(folder).card.golden
    import pandas

    frame = pandas.DataFrame(golden.rows, columns=NAMES, dtype="float64")
    scores = model.predict(frame[list(reversed(NAMES))])["score"]
    np.testing.assert_array_equal(scores, golden.scores)
    assert [column.name for column in model.metadata.signature.inputs] == list(NAMES)
    example = model.input_example
    assert list(example.columns) == list(NAMES)
    assert not example.iloc[0].isna().any() and example.iloc[1].isna().any()


def test_a_model_that_0_1_0_logged_still_scores(tracked: Tracked, mlflow: Any) -> None:
    """The code in MLflow is a copy of its day, with the names that our modules had then."""
    path = tracked.run / "candidates" / "logistic_regression"
    golden = load_folder(path).card.golden
    code = Path(__file__).parents[1] / "data" / "pyfunc_0_1_0.py"
    assert "from serving.scorer import RowScorer, open_scorer" in code.read_text()
    number = experiment(mlflow, tracked_at(tracked.settings))
    with mlflow.start_run(experiment_id=number, run_name="0.1.0"):
        logged = mlflow.pyfunc.log_model(
            name="old",
            python_model=str(code),
            artifacts={"folder": str(path)},
            pip_requirements=[],
        )
    import pandas

    frame = pandas.DataFrame(golden.rows, columns=NAMES, dtype="float64")
    model = mlflow.pyfunc.load_model(logged.model_uri)
    np.testing.assert_array_equal(model.predict(frame)["score"], golden.scores)


def test_mlflow_holds_the_very_bytes(tracked: Tracked, tmp_path: Path) -> None:
    """Both folders come back out of MLflow with their digests."""
    record = read_run(tracked.run)
    digests = {v: record.digests[name] for v, name in record.variants().items()}
    store = tracked_at(tracked.settings)
    assert fetch(store, digests, tmp_path / "back")
    assert digests_in(folders_in(tmp_path / "back")) == digests
    assert not fetch(store, digests | {"ml": "0" * 64}, tmp_path / "none")


def test_logging_again_changes_nothing(tracked: Tracked, mlflow: Any) -> None:
    """A folder is logged once."""
    assert log_run(tracked.run, tracked.settings) == tracked.logged


def test_equal_models_are_one_version(tracked: Tracked, tmp_path: Path) -> None:
    """A second training with the same result has a run of its own, but no version."""
    again = log_run(tracked.make_run(tmp_path / "again", 1), tracked.settings)
    assert again.run_id != tracked.logged.run_id
    assert again.version == tracked.logged.version


def test_aliases_follow_promotions(tracked: Tracked, mlflow: Any, tmp_path: Path) -> None:
    """The last trained is challenger until promoted; going back makes the earlier one champion."""
    second = tracked.make_run(tmp_path / "second", 2)
    version = log_run(second, tracked.settings).version
    client = mlflow.MlflowClient()
    assert client.get_model_version_by_alias(NAME, "challenger").version == int(version)
    promoter = Promoter(tmp_path / "settings", tmp_path / "models", "ada", silent)
    store = tracked_at(tracked.settings)

    def champion(promotion: Promotion | None) -> str:
        assert promotion is not None
        crown(promotion, folders_in(promoter.root), store)
        return str(client.get_model_version_by_alias(NAME, "champion").version)

    assert champion(promoter.promote(tracked.run)) == tracked.logged.version
    assert champion(promoter.promote(second)) == version
    assert "challenger" not in client.get_registered_model(NAME).aliases
    assert champion(promoter.go_back()) == tracked.logged.version
    tags = client.get_model_version(NAME, version).tags
    assert tags["promoted.who"] == "ada"
    assert tags["digest"] == pair_digest({v: tags[f"digest.{v}"] for v in ("ml", "baseline")})


def test_models_never_tracked_are_adopted(tracked: Tracked, mlflow: Any, tmp_path: Path) -> None:
    """Promoting models that MLflow never saw logs them, then moves the alias."""
    promoter = Promoter(tmp_path / "settings", tmp_path / "models", "ada", silent)
    promotion = promoter.promote(tracked.make_run(tmp_path / "third", 3))
    assert promotion is not None
    version = crown(promotion, folders_in(promoter.root), tracked_at(tracked.settings))
    assert crown(promotion, folders_in(promoter.root), tracked_at(tracked.settings)) == version
    found = mlflow.MlflowClient().get_model_version_by_alias(NAME, "champion")
    assert (str(found.version), found.tags["digest"]) == (version, promotion.digest)


def test_a_server_that_is_away_is_one_error(
    tracked: Tracked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logging says which server failed, and leaves the run folder as it is."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = Where(tmp_path, "http://127.0.0.1:1")
    with pytest.raises(TrackingError, match=r"MLflow at http://127\.0\.0\.1:1: .*refused"):
        log_run(tracked.run, away)
    assert read_run(tracked.run).run_id == "first"


def test_only_finite_numbers_are_metrics() -> None:
    """What is missing, a word or infinite is no metric; paths become names MLflow allows."""
    found = numbers_of({"by": {"a(1).gz": 1, "b": None, "c": True}, "d": float("inf"), "e": "x"})
    assert found == {"by/a_1_.gz": 1.0}
    assert json.dumps(found)
