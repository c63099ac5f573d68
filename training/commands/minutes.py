"""``python -m training minutes FILE``: minute rows, walk-forward, beside the last-range rule."""

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from training.external.minutes import evaluate_minutes, minute_lines


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("minutes", help="minute rows, beside the last-range rule")
    parser.add_argument("file", type=Path, help="minute rows as CSV")
    parser.add_argument("--json", action="store_true", help="print all numbers as JSON")
    parser.set_defaults(run=run)


def run(options: Namespace, settings: object) -> int:
    """Print the walk-forward figures."""
    found = evaluate_minutes(options.file)
    lines = [json.dumps(found, indent=2, allow_nan=False)] if options.json else minute_lines(found)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0
