"""The command ``relative``: Coinbase's data in, a run folder with the pair in units of τ out."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from featurizer.level.seeds import Seeds, default_seeds
from promotion.run_folder import RunRecord, model_folder
from serving.artifact import write_folder
from serving.control import VARIANTS, Variant
from serving.reference import Reference, reference_of
from serving.relative import Relative
from signals.budgets import Choices
from training.data.dataset import Say, build
from training.data.rows import Table
from training.errors import DatasetError
from training.relative.card import candidate_of, card_of
from training.relative.evidence import (
    LearnedFrom,
    choose_thresholds,
    fit_pair,
    judge_venues,
    read_days,
    read_learned,
)

PRODUCT: Final = "BTC-USD"
"""Whose packaged seed stands in where a row has no τ."""
Clock = Callable[[], datetime]


def now() -> datetime:
    """Return the time on the wall, by which runs are named."""
    return datetime.now(UTC)


def run(data: Path, runs: Path, say: Say, clock: Clock = now) -> Path:
    """Fit both variants, choose θ by budget, judge them, and return the run folder.

    Raises:
        TrainingError: the data cannot be learned from; no run folder has been written.
    """
    created, learned = clock(), read_learned(data)
    for each in learned.files:
        say(f"learned   {each['file']}: {each['examples']} examples, {each['spikes']} spikes")
    fits, days = fit_pair(learned.examples), read_days(data)
    judged = judge_venues(learned.examples, days)
    choices = {variant: choose_thresholds(fits[variant], days) for variant in VARIANTS}
    for variant, chosen in choices.items():
        say(f"θ         {variant}: {theta_text(chosen)}")
    table = build([data], _quiet).table
    folder = runs / f"{created:%Y%m%dT%H%M%SZ}-{learned.digest[:8]}"
    folder.mkdir(parents=True)
    tau = default_tau(default_seeds())
    digests = {}
    for variant in VARIANTS:
        model = fits[variant].served(variant)
        card = card_of(model, variant, learned, tau, choices[variant], judged)
        path = model_folder(folder, candidate_of(variant))
        digests[candidate_of(variant)] = write_folder(
            path, variant=variant, linear=model, card=card, reference=reference(model, table)
        ).digest
        say(f"wrote     {path}: digest {digests[candidate_of(variant)]}")
    _write(folder, created, learned, digests, judged, choices)
    return folder


def theta_text(choices: Mapping[str, Choices]) -> str:
    """Return θ of each level by budget, or why one is refused, on a line."""
    return "; ".join(
        f"{level} "
        + ", ".join(f"{b}: {c.refused if c.theta is None else c.theta}" for b, c in found.items())
        for level, found in choices.items()
    )


def default_tau(seeds: Seeds) -> float:
    """Return the τ of a row that has none: that of the packaged seed.

    Raises:
        DatasetError: there is no such seed.
    """
    seed = seeds.of("coinbase", PRODUCT)
    if seed is None:
        raise DatasetError(f"found no seed of {PRODUCT}, expected one for the default τ")
    return seed.tau


def reference(model: Relative, table: Table) -> Reference:
    """Return the rows of the captures that have a level, with scores and whether they reach it.

    Raises:
        DatasetError: none has.
    """
    kept = table.take(~np.isnan(table.tau))
    if not len(kept):
        raise DatasetError("found no row with a level, expected some for the drift reference")
    scores = [
        model.chances(row, tau).score
        for row, tau in zip(kept.features.tolist(), kept.tau.tolist(), strict=True)
    ]
    spikes = (kept.volatility >= kept.tau).tolist()
    return reference_of(kept.product.tolist(), kept.features.tolist(), scores, spikes)


def _write(
    folder: Path,
    created: datetime,
    learned: LearnedFrom,
    digests: dict[str, str],
    judged: Mapping[str, Any],
    choices: Mapping[Variant, Mapping[str, Choices]],
) -> None:
    report = {
        "run_id": folder.name,
        "data": [dict(each) for each in learned.files],
        "judged": dict(judged),
        "thresholds": {variant: theta_text(found) for variant, found in choices.items()},
    }
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    RunRecord(
        run_id=folder.name,
        created=f"{created:%Y-%m-%dT%H:%M:%SZ}",
        dataset_digest=learned.digest,
        winner=candidate_of("ml"),
        digests=digests,
        metrics={name: metrics_of(judged, rival) for name, rival in RIVALS.items()},
        parameters={"learned_from": [each["file"] for each in learned.files]},
        evidence={"judged_on": list(judged), "verdict": verdicts(judged)},
    ).write(folder)


RIVALS: Final = {"relative": "model", "baseline": "rule"}


def metrics_of(judged: Mapping[str, Any], rival: str) -> dict[str, Any]:
    """Return Brier score and log loss of model or rule, by venue and event."""
    return {
        venue: {
            event: {loss: of[loss][rival] for loss in ("brier", "log_loss")}
            for event, of in events.items()
        }
        for venue, events in judged.items()
    }


def verdicts(judged: Mapping[str, Any]) -> dict[str, str]:
    """Return of each venue whether the model is better than the rule at τ, in Brier score."""
    return {venue: str(of["score"]["brier"]["gain"]["verdict"]) for venue, of in judged.items()}


def _quiet(line: str) -> None:
    """Say nothing of the files that a reference is made of: they are named already."""
