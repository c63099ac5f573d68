"""The commands ``promote`` and ``history``: what they say, change and return."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from promotion.commands import history, promote
from promotion.config import PromotionSettings
from promotion.log import LOG, read_log
from promotion.model_pair import digests_in, folders_in
from promotion.tracking.connection import connected
from promotion.tracking.registry import NAME
from promotion.tracking.runs import tracked_at

ROOT = Path(__file__).resolve().parents[2]
MakeRun = Callable[..., Path]


@pytest.fixture
def settings(tmp_path: Path, make_run: MakeRun, tracking_folder: Path) -> PromotionSettings:
    """Settings with two trainings in their folder of runs, and everything else empty."""
    for seed, name in enumerate(("one", "two"), start=11):
        make_run(tmp_path / "runs" / name, seed)
    return PromotionSettings(
        out=tmp_path / "model-settings",
        runs=tmp_path / "runs",
        models=tmp_path / "models",
        tracking=tracking_folder,
        tracking_uri="",
    )


def say(settings: PromotionSettings, *words: str) -> int:
    """Run a command as ``python -m promotion`` does."""
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    promote.add(subparsers)
    history.add(subparsers)
    options = parser.parse_args(words)
    code: int = options.run(options, settings)
    return code


def test_promote_names_versions(
    settings: PromotionSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a name the latest run is promoted, and both versions are said."""
    assert say(settings, "promote", "--who", "ada", "--no-tracking") == 0
    promotion = read_log(settings.out)[0]
    assert (promotion.who, promotion.run) == ("ada", "two")
    said = capsys.readouterr().err
    assert f"ml: version none → {promotion.to['ml'][:12]}" in said
    assert "keeps the models it has until it restarts" in said


def test_back_and_history(settings: PromotionSettings, capsys: pytest.CaptureFixture[str]) -> None:
    """History lists promotions and the way back, with reasons, and what is in place."""
    say(settings, "promote", "one", "--no-tracking")
    folder = str(settings.runs / "two")
    say(settings, "promote", "--run-folder", folder, "--no-tracking", "--because", "more data")
    say(settings, "promote", "--to-previous", "--no-tracking", "--because", "too many alarms")
    capsys.readouterr()
    assert say(settings, "history") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[1].endswith("one  not decidable")
    assert lines[2].endswith("more data") and lines[3].endswith("too many alarms")
    now = digests_in(folders_in(settings.out))
    assert now is not None
    assert lines[4] == f"in place: ml {now['ml'][:12]}, baseline {now['baseline'][:12]}"
    assert say(settings, "history", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 3


def test_refusals_are_one_line(
    settings: PromotionSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is refused ends with 1 and a line that says found and expected."""
    assert say(settings, "promote", "nine", "--no-tracking") == 1
    assert say(settings, "promote", "--to-previous", "--no-tracking") == 1
    assert say(settings, "promote", "--sync") == 1
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(" ")[0] for line in said] == ["error"] * 3
    assert "expected" in said[0]


def test_history_sees_what_went_past_it(
    settings: PromotionSettings, capsys: pytest.CaptureFixture[str], make_run: MakeRun
) -> None:
    """Models that no promotion put in place, and an edited log, are said and fail the command."""
    say(settings, "promote", "one", "--no-tracking")
    other = settings.runs / "two" / "candidates"
    (settings.out / "ml").rename(settings.out.parent / "gone")
    (other / "logistic_regression").rename(settings.out / "ml")
    assert say(settings, "history") == 1
    assert "something changed them without a promotion" in capsys.readouterr().out
    say(settings, "promote", "one", "--no-tracking")
    log = settings.out / LOG
    log.write_text(log.read_text().replace('"one"', '"won"', 1))
    assert say(settings, "history") == 1
    assert "line 2: found previous" in capsys.readouterr().err


def test_promoting_logs_a_training_that_was_not_tracked(settings: PromotionSettings) -> None:
    """A run folder that MLflow never saw is logged with its metrics, then becomes champion."""
    assert say(settings, "promote", "two") == 0
    with connected(tracked_at(settings)) as mlflow:
        champion = mlflow.MlflowClient().get_model_version_by_alias(NAME, "champion")
        assert mlflow.get_run(champion.run_id).data.tags["training.run_id"] == "two"


def test_a_promotion_stands_without_mlflow(
    settings: PromotionSettings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the server away both variants and the log change whole; the alias follows later."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = settings.model_copy(update={"tracking_uri": "http://127.0.0.1:1"})
    assert say(away, "promote", "one") == 0
    assert "the promotion stands; later" in capsys.readouterr().err
    assert digests_in(folders_in(settings.out)) == read_log(settings.out)[0].to
    assert say(away, "promote", "--sync") == 1
    assert say(settings, "promote", "--sync") == 0
    assert f"champion  {NAME} version " in capsys.readouterr().err
    assert len(read_log(settings.out)) == 1
    with connected(tracked_at(settings)) as mlflow:
        champion = mlflow.MlflowClient().get_model_version_by_alias(NAME, "champion")
        assert champion.tags["digest"] == read_log(settings.out)[0].digest


@pytest.mark.process
def test_going_without_mlflow_does_not_import_it() -> None:
    """MLflow, which takes seconds to import, is not imported for what does without it."""
    code = (
        "import sys, promotion.commands.promote, promotion.commands.history;"
        "import promotion.tracking.runs;"
        "sys.exit(1 if 'mlflow' in sys.modules else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60)
    assert done.returncode == 0
