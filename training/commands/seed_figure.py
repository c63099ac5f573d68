"""``python -m training seed-figure FILE``: the published figure, and why it is void."""

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from training.external.seed_figure import evaluate_seed_figure, seed_figure_lines


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("seed-figure", help="the published figure, and why it is void")
    parser.add_argument("file", type=Path, help="seed_features_sample_1000rows.parquet")
    parser.add_argument("--json", action="store_true", help="print all numbers as JSON")
    parser.set_defaults(run=run)


def run(options: Namespace, settings: object) -> int:
    """Print the figure and the checks."""
    found = evaluate_seed_figure(options.file)
    lines = (
        [json.dumps(found, indent=2, allow_nan=False)] if options.json else seed_figure_lines(found)
    )
    sys.stdout.write("\n".join(lines) + "\n")
    return 0
