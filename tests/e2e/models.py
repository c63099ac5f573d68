"""Model folders that the drills serve, and what each gives for a golden row."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from featurizer.features import REQUIRED, widened
from serving.artifact import load_folder, write_folder


@dataclass(frozen=True, slots=True)
class Model:
    """A folder with both variants; ``score`` is what its ``ml`` gives for the golden row."""

    folder: Path
    version: str
    digest: str
    score: float


def golden_row(folder: Path) -> dict[str, float | None]:
    """Return the first golden row of a folder's ``ml``, in what every release takes."""
    card = json.loads((folder / "ml" / "card.json").read_text())
    return dict(zip(REQUIRED, card["golden"]["rows"][0], strict=False))


def model_in(folder: Path) -> Model:
    """Read a folder with both variants."""
    artifact = load_folder(folder / "ml")
    score = json.loads((folder / "ml" / "card.json").read_text())["golden"]["scores"][0]
    return Model(folder, artifact.info.version, artifact.info.digest, score)


def candidate_in(folder: Path, source: Path, shift: float = 0.5) -> Model:
    """Make models like those of ``source``, but for the intercept of ``ml`` and so its scores."""
    linear = load_folder(source / "ml").linear
    assert linear is not None, f"the drills need a linear model in {source}/ml"
    linear = replace(linear, intercept=linear.intercept + shift)
    card = json.loads((source / "ml" / "card.json").read_text())
    card["golden"]["scores"] = [linear.score(widened(row)) for row in card["golden"]["rows"]]
    write_folder(folder / "ml", variant="ml", linear=linear, card=card)
    shutil.copytree(source / "baseline", folder / "baseline")
    return model_in(folder)
