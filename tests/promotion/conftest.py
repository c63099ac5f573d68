"""Run folders as training writes them, and one MLflow store for all tests."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from featurizer.features import NAMES
from promotion.run_folder import RunRecord
from serving.artifact import write_folder
from serving.linear import Linear
from serving.reference import reference_of
from training.models.golden import golden_rows

MakeRun = Callable[..., Path]


@pytest.fixture(scope="session")
def make_run() -> MakeRun:
    """Write a run folder as ``train`` does, with two small models of generated rows.

    Equal seeds give equal models; ``changes`` are to the card of the candidate they are named for.
    """
    golden = golden_rows()  # the same in every run, and most of what making one takes

    def make(path: Path, seed: int = 1, run_id: str | None = None, **changes: Any) -> Path:
        chance = np.random.default_rng(seed)
        matrix = chance.normal(size=(200, len(NAMES))) * np.geomspace(1e-5, 10, len(NAMES))
        spikes = matrix[:, 0] + chance.normal(scale=5e-6, size=200) > 5e-6
        steps = SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression()
        pipeline = make_pipeline(*steps).fit(matrix, spikes)
        linear = Linear(
            variant="ml",
            features=NAMES,
            impute=tuple(steps[0].statistics_.tolist()),
            mean=tuple(steps[1].mean_.tolist()),
            scale=tuple(steps[1].scale_.tolist()),
            coef=tuple(steps[2].coef_[0].tolist()),
            intercept=float(steps[2].intercept_[0]),
        )
        one = {name: getattr(linear, name)[:1] for name in ("impute", "mean", "scale", "coef")}
        baseline = replace(linear, variant="baseline", features=NAMES[:1], **one)
        candidates = path / "candidates"
        digests = {}
        for name, model, pickled in (
            ("logistic_regression", linear, pipeline),
            ("baseline", baseline, None),
        ):
            card: dict[str, Any] = {
                "dialect": "advanced",
                "tau": {"BTC-USD": 0.0012},
                "threshold": {"BTC-USD": 0.5},
                "golden": {"rows": golden, "scores": [model.score(row) for row in golden]},
            }
            digests[name] = write_folder(
                candidates / name,
                variant=model.variant,
                linear=model,
                card=card | changes.get(name, {}),
                pipeline=pickled,
                reference=reference_of(
                    ["BTC-USD"] * len(golden),
                    golden,
                    card["golden"]["scores"],
                    [None] * len(golden),
                ),
            ).digest
        (path / "plots").mkdir()
        (path / "plots" / "reliability.html").write_text("<p>reliability</p>")
        (path / "report.html").write_text("<h1>report</h1>")
        (path / "report.json").write_text("{}")
        RunRecord(
            run_id=run_id or path.name,
            created=f"2026-11-22T20:00:{seed:02}Z",
            dataset_digest=f"{seed:064x}",
            winner="logistic_regression",
            digests=digests,
            metrics={
                "logistic_regression": {"pooled": {"brier": 0.05, "pr_auc": None}},
                "baseline": {"pooled": {"brier": 0.07}},
                "rv60_rule": {"pooled": {"brier": 0.08}},
            },
            parameters={"tau_percentile": 90.0, "seed": seed},
            evidence={"verdict": "not decidable"},
        ).write(path)
        return path

    return make


@pytest.fixture(scope="session")
def tracking_folder(processes: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One MLflow store for the whole session, as making its SQLite file takes seconds."""
    return tmp_path_factory.mktemp("tracking") / "mlflow"
