"""Model folders that the drills serve, and what each gives for a golden row."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from featurizer.features import REQUIRED, widened
from serving.artifact import load_folder, write_folder
from serving.linear import Linear
from serving.relative import Relative

AT: Final = 2
"""The golden row that drills ask for: its windows of 60 and 300 s are known, its τ the default."""


@dataclass(frozen=True, slots=True)
class Model:
    """A folder with both variants; ``score`` is what its ``ml`` gives for the golden row."""

    folder: Path
    version: str
    digest: str
    score: float


def golden_row(folder: Path) -> dict[str, float | None]:
    """Return a golden row of a folder's ``ml``, in what every release takes."""
    return dict(zip(REQUIRED, _card(folder)["golden"]["rows"][AT], strict=False))


def model_in(folder: Path) -> Model:
    """Read a folder with both variants."""
    artifact = load_folder(folder / "ml")
    score = _card(folder)["golden"]["scores"][AT]
    return Model(folder, artifact.info.version, artifact.info.digest, score)


def candidate_in(folder: Path, source: Path, shift: float = 0.5) -> Model:
    """Make models like those of ``source``, but for the intercept of ``ml`` and so its scores."""
    artifact, card = load_folder(source / "ml"), _card(source)
    changed = shifted(artifact.relative or artifact.linear, shift)
    golden = artifact.card.golden
    if isinstance(changed, Relative):
        default = artifact.info.default_tau or 0.0
        pairs = zip(golden.rows, golden.tau, strict=True)
        said = [changed.chances(row, tau or default) for row, tau in pairs]
        card["golden"] |= {
            "scores": [each.score for each in said],
            "severe": [each.severe for each in said],
        }
    else:
        card["golden"]["scores"] = [changed.score(widened(row)) for row in golden.rows]
    write_folder(folder / "ml", variant="ml", linear=changed, card=card)
    shutil.copytree(source / "baseline", folder / "baseline")
    return model_in(folder)


def shifted(model: Linear | Relative | None, shift: float) -> Linear | Relative:
    """Return a model with other intercepts."""
    assert model is not None, "the drills need a model in plain numbers"
    if isinstance(model, Relative):
        score = tuple((first + shift, *rest) for first, *rest in model.score)
        return replace(model, score=score)
    return replace(model, intercept=model.intercept + shift)


def _card(folder: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((folder / "ml" / "card.json").read_text())
    return card
