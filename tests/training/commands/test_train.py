"""The whole way: recordings in, a run folder out, equal bytes for equal data."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from featurizer.features import NAMES
from promotion.run_folder import model_folder, read_run
from serving.artifact import load_folder
from serving.predictor import open_predictor
from tests.training.light import light_candidates
from tests.training.made_up import with_client_clock
from training.__main__ import main
from training.config import TrainingSettings
from training.errors import DatasetError, FitError
from training.pipeline import TrainingRun, run

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.timeout(300)  # trainings: among the first to begin, as among the longest
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
START = 1_700_000_000

Write = Callable[..., Path]


def silent(_: str) -> None:
    """Say nothing."""


def at_noon() -> datetime:
    """Return one time for ever."""
    return NOON


def settings(data: Path, runs: Path, **more: Any) -> TrainingSettings:
    """Return settings that keep to this process."""
    return TrainingSettings(data=[data], runs=runs, backend="sequential", **more)


def card_in(folder: Path) -> dict[str, Any]:
    """Read a card."""
    card: dict[str, Any] = json.loads((folder / "card.json").read_text())
    return card


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, write: Write) -> TrainingRun:
    """The run of three recordings hours apart, one with two products, and a holdout."""
    data = tmp_path_factory.mktemp("data")
    write(data / "first.ndjson", START, seed=1, products=("BTC-USD", "ETH-USD"))
    write(data / "second.ndjson", START + 10_000, seed=5)
    write(data / "third.ndjson", START + 20_000, seed=9)
    write(data / "kept.ndjson", START + 30_000, seed=11)
    runs = tmp_path_factory.mktemp("runs")
    given = settings(data, runs, holdout=["kept"])
    with light_candidates():
        return run(given, silent, open_holdout=True, clock=at_noon)


@pytest.fixture(scope="module")
def report(made: TrainingRun) -> dict[str, Any]:
    """Its report.json."""
    found: dict[str, Any] = json.loads((made.folder / "report.json").read_text())
    return found


def test_both_variants_are_written_and_load(made: TrainingRun) -> None:
    """A run leaves two folders that serving accepts, with one τ table, by the digests it names."""
    record = read_run(made.folder)
    loaded = {
        variant: load_folder(model_folder(made.folder, name), digest=record.digests[name])
        for variant, name in record.variants().items()
    }
    assert {variant: artifact.info.variant for variant, artifact in loaded.items()} == {
        "ml": "ml",
        "baseline": "baseline",
    }
    assert loaded["ml"].info.tau == loaded["baseline"].info.tau
    assert set(loaded["ml"].info.tau) == {"BTC-USD", "ETH-USD"}
    assert loaded["baseline"].features == ("realized_volatility_60s",)
    assert loaded["baseline"].pickled is None


def test_a_run_is_named_by_time_and_data(made: TrainingRun) -> None:
    """Its id has the time and the dataset's digest."""
    record = read_run(made.folder)
    assert made.folder.name == record.run_id == f"20261122T120000Z-{record.dataset_digest[:8]}"
    assert record.created == "2026-11-22T12:00:00Z"


def test_serving_opens_the_winner(made: TrainingRun) -> None:
    """Card, served numbers and Pipeline say the same of every golden row."""
    ml = load_folder(model_folder(made.folder, made.record.winner))
    scorer = open_predictor(ml)
    scores = [scorer.score(row) for row in ml.card.golden.rows]
    assert scores == pytest.approx(ml.card.golden.scores, rel=1e-12)
    rows = np.array(ml.card.golden.rows, dtype=np.float64)
    pickled = ml.unpickle().predict_proba(rows[:, [NAMES.index(name) for name in ml.features]])
    np.testing.assert_allclose(pickled[:, 1], ml.card.golden.scores, rtol=1e-12)


@pytest.mark.exhaustive
def test_two_runs_give_equal_bytes(made: TrainingRun, tmp_path: Path, write: Write) -> None:
    """The same recordings give the same models, report and plots; opening the seal adds to them."""
    data = tmp_path / "data"
    data.mkdir()
    write(data / "first.ndjson", START, seed=1, products=("BTC-USD", "ETH-USD"))
    write(data / "second.ndjson", START + 10_000, seed=5)
    write(data / "third.ndjson", START + 20_000, seed=9)
    write(data / "kept.ndjson", START + 30_000, seed=11)
    given = settings(data, tmp_path / "runs", holdout=["kept"])
    with light_candidates():
        again = run(given, silent, clock=at_noon)
    assert again.record.digests == made.record.digests
    assert again.record.metrics == made.record.metrics
    for png in (made.folder / "plots").iterdir():
        assert png.read_bytes() == (again.folder / "plots" / png.name).read_bytes()
    assert again.record.parameters["sealed_opened"] is False
    assert json.loads((again.folder / "report.json").read_text())["sealed"] is None


def test_the_record_says_that_the_seal_was_broken(
    made: TrainingRun, report: dict[str, Any]
) -> None:
    """run.json names what was opened; the report has its figures beside the rule's."""
    assert made.record.parameters["sealed_opened"] is True
    assert made.record.evidence["sealed"] == {"opened": ["kept.ndjson"]}
    both = report["sealed"]["parts"]["BTC-USD"]
    assert set(both) == {"ml", "baseline"}
    assert both["ml"]["model"]["rows"] == both["ml"]["rv60_rule"]["rows"] == 440
    assert "kept.ndjson" not in [each["file"] for each in report["dataset"]["captures"]]


def test_the_report_has_all_protocols_side_by_side(report: dict[str, Any]) -> None:
    """Published and honest figures of the candidates stand together, each beside the rule's."""
    protocols = {each["name"]: each["candidates"] for each in report["protocols"]}
    assert set(protocols) >= {"published", "leave_group_out", "walk_forward"}
    everyone = {each["candidate"] for each in report["standings"]}
    assert set(protocols["leave_group_out"]) == set(protocols["published"]) == everyone
    for pair in protocols["leave_group_out"].values():
        assert pair["model"]["rows"] == pair["rv60_rule"]["rows"]
        assert {"prevalence", "pr_auc", "roc_auc", "brier", "brier_skill", "ece"} <= set(
            pair["model"]
        )


def test_the_report_answers_where_and_at_what_cost(report: dict[str, Any]) -> None:
    """Captures, regimes, alerts, importances and what would decide are there."""
    assert {"first.ndjson", "second.ndjson", "third.ndjson"} < set(report["parts"])
    assert set(report["burden"]["by_candidate"]) >= {"rule", "baseline"}
    assert report["importances"]["by_model"][report["chosen"]["candidate"]]
    assert report["chosen"]["data_needed"]["episodes"] > 0
    assert set(report["other_products"]) == {"ETH-USD"}


def test_the_page_stands_alone(made: TrainingRun) -> None:
    """The HTML holds its pictures and asks nothing of any other place."""
    page = (made.folder / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == len(list((made.folder / "plots").iterdir()))
    assert "http" not in page
    assert made.record.run_id in page
    said = re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert "nan" not in said.replace("finance", "")


def test_the_card_says_what_it_rests_on(made: TrainingRun) -> None:
    """Data, rows behind τ, what was left out, and honest figures beside the rule are named."""
    card = card_in(model_folder(made.folder, made.record.winner))
    files = [entry["file"] for entry in card["data"]]
    assert files == ["first.ndjson", "second.ndjson", "third.ndjson"]
    assert card["trained_recordings"] == [entry["sha256"] for entry in card["data"]]
    assert [entry["file"] for entry in card["left_out"]] == ["kept.ndjson"]
    assert card["products"]["ETH-USD"]["tau_rests_on_rows"] == 440
    assert card["prevalence"] == pytest.approx(0.1, abs=0.01)
    parts = card["metrics"]["by_product"]["BTC-USD"]
    assert set(parts) == {"pooled", *files}
    assert parts["pooled"]["model"]["rows"] == parts["pooled"]["rv60_rule"]["rows"] == 1320


def test_a_seal_that_is_not_there_cannot_be_opened(tmp_path: Path, write: Write) -> None:
    """The final report does not pretend; nothing is written."""
    data = write(tmp_path / "one.ndjson", START, seed=1, seconds=1500)
    with pytest.raises(DatasetError, match="expected one to open"):
        run(settings(data, tmp_path / "runs"), silent, open_holdout=True)
    assert not (tmp_path / "runs").exists()


@pytest.mark.process
def test_evaluate_and_compare_read_a_run(
    made: TrainingRun, capsys: pytest.CaptureFixture[str]
) -> None:
    """A written model is evaluated beside the rule by product, and two on the same rows."""
    data = str(made_data(made))
    assert main(["evaluate", str(made.folder), "--data", data, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "first.ndjson" in found["seen_in_training"]
    assert found["parts"]["BTC-USD"]["model"]["rows"] > 1000
    assert "ETH-USD, first.ndjson" in found["parts"]
    for part in found["parts"].values():
        assert part["chances"]["score"]["came"] == pytest.approx(part["model"]["prevalence"], 1e-5)
    assert main(["evaluate", str(made.folder), "--data", data]) == 0
    assert "  score       said=0." in capsys.readouterr().out
    assert all(part.split(", ")[0] in ("BTC-USD", "ETH-USD") for part in found["parts"])
    one, two = model_folder(made.folder, made.record.winner), model_folder(made.folder, "baseline")
    assert main(["compare", str(one), str(two), "--data", data]) == 0
    assert "first above second: PR-AUC" in capsys.readouterr().out


@pytest.mark.process
def test_a_clients_clock_is_evaluated_with_a_note_and_refused_to_train(
    made: TrainingRun, tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its figures stand beside the reason; training names it, ends, and writes nothing."""
    wall = str(write(tmp_path / "wall.ndjson", START, change=with_client_clock))
    assert main(["evaluate", str(made.folder), "--data", wall, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parts"]["BTC-USD"]["model"]["rows"] > 0
    assert len(found["notes"]) == 1
    assert found["notes"][0].startswith("wall.ndjson: ")
    assert found["notes"][0].endswith("these are a client's clock")
    runs = str(tmp_path / "runs")
    assert main(["train", "--data", wall, "--runs", runs, "--no-tracking"]) == 1
    said = capsys.readouterr().err
    assert "wall.ndjson" in said
    assert "a client's clock" in said
    assert not Path(runs).exists()


def made_data(made: TrainingRun) -> Path:
    """Return the folder of the recordings behind a run."""
    return next(made.folder.parents[1].glob("data*"))


def test_a_market_without_spikes_is_refused(tmp_path: Path) -> None:
    """A market that stands still has one class only, and nothing is written."""
    data = tmp_path / "flat.ndjson"
    line = {"product_id": "BTC-USD", "price": "10", "best_bid": "9", "best_ask": "11"}
    times = (f"2026-01-01T{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in range(800))
    data.write_text(
        "".join(json.dumps(line | {"timestamp": f"{t}.123456789Z"}) + "\n" for t in times)
    )
    with pytest.raises(FitError, match="expected both"):
        run(settings(data, tmp_path / "runs"), silent)
    assert not (tmp_path / "runs").exists()


@pytest.mark.process
def test_the_command_names_what_is_wrong(tmp_path: Path) -> None:
    """Bad data ends the command with one line of reason and a failing exit code."""
    (tmp_path / "empty.ndjson").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "training", "train", "--data", str(tmp_path), "--runs", "nowhere"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert said.startswith("error     found no usable row (empty.ndjson: found no ticker")
