"""``python -m training evaluate MODEL --data PATH …``: a written model on recordings."""

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
        "evaluate",
        help="a model folder on recordings, beside the rule",
        description=__doc__,
    )
    parser.add_argument("model", type=Path, help="model folder, or run folder (its winner)")
    parser.add_argument("--data", type=Path, nargs="+", help="recordings, or folders of them")
    parser.add_argument("--json", action="store_true", help="print all numbers as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: TrainingSettings) -> int:
    """Print the model's figures and the rule's, and name recordings it was trained on."""
    from training.data.dataset import build
    from training.evaluation.saved_models import (
        chance_lines,
        evaluate_model,
        figure_lines,
        open_model,
    )

    given, model = with_overrides(settings, data=options.data), open_model(options.model)
    dataset = build(given.data, _quiet, given.holdout, executor=given.executor, any_clock=True)
    notes = [f"{c.file}: {note}" for c in dataset.captures for note in c.notes]
    notes += [f"left out {name}: {reason}" for name, reason in dataset.left_out]
    found = evaluate_model(model, dataset) | {"notes": notes}
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2, allow_nan=False) + "\n")
        return 0
    lines = [f"{found['model']}, digest {found['digest']}"]
    lines += [f"trained on {name}: its figures flatter" for name in found["seen_in_training"]]
    lines += notes
    for part, pair in found["parts"].items():
        lines += figure_lines(part, [("model", pair["model"]), ("rv60 rule", pair["rv60_rule"])])
        lines += chance_lines(pair["chances"])
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _quiet(line: str) -> None:
    """Say nothing of the files."""
