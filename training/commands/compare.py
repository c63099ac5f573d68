"""``python -m training compare ONE OTHER --data PATH …``: two models on the same rows."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from training.commands.overrides import with_overrides
from training.config import TrainingSettings


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "compare", help="evaluate two models on the same recordings", description=__doc__
    )
    parser.add_argument("models", type=Path, nargs=2, help="model folders or run folders")
    parser.add_argument("--data", type=Path, nargs="+", help="recordings, or folders of them")
    parser.add_argument("--json", action="store_true", help="print all numbers as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: TrainingSettings) -> int:
    """Print both models' figures by part, and how much the first is above the second."""
    from training.data.dataset import build
    from training.evaluation.saved_models import compare_models, figure_lines, open_model
    from training.report.html import between

    given = with_overrides(settings, data=options.data)
    one, other = (open_model(path) for path in options.models)
    dataset = build(given.data, _quiet, given.holdout, executor=given.executor)
    found = compare_models(one, other, dataset)
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2, allow_nan=False) + "\n")
        return 0
    lines = [f"first     {found['models'][0]}", f"second    {found['models'][1]}"]
    for part, pair in found["parts"].items():
        lines += figure_lines(part, list(zip(("first", "second"), pair["models"], strict=True)))
        gain, brier = between(pair["pr_auc_difference"]), between(pair["brier_difference"])
        lines.append(f"  first above second: PR-AUC {gain}, Brier {brier}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _quiet(line: str) -> None:
    """Say nothing of the files."""
