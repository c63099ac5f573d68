"""The published figure and the checks that void it, as numbers and as lines to be read."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.external.published_figure import figure_lines, read_published, reproduce
from training.external.published_flaws import FLAWS


def evaluate_seed_figure(path: Path) -> dict[str, Any]:
    """Return the published figures of a file and the checks that show them to be an artefact.

    Raises:
        DatasetError: names file, row and reason if the table cannot be used.
    """
    published = read_published(path)
    checks = [check(published) for check in FLAWS]
    return {
        "file": published.file,
        "published": reproduce(published),
        "checks": [asdict(check) for check in checks],
        "void": all(check.holds for check in checks),
    }


def seed_figure_lines(found: Mapping[str, Any]) -> list[str]:
    """Return lines for a reader: the figures, then each check, its number beside its sentence."""
    void = sum(check["holds"] for check in found["checks"])
    return [
        f"{found['file']}: the published figure, as it was made",
        *(f"  {line}" for line in figure_lines(found["published"])),
        f"what it rests on: {void} of {len(found['checks'])} checks say it is an artefact",
        *(
            f"  {check['shown']:>16}  {'' if check['holds'] else 'NOT SO HERE: '}"
            f"{check['sentence']}"
            for check in found["checks"]
        ),
    ]
