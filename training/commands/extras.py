"""``python -m training extras --data FOLDER``: tables that are no captures, evaluation only."""

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from training.errors import DatasetError
from training.external.tables import evaluate_tables, table_lines

CARD = Path("model-settings/ml/card.json")


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("extras", help="evaluate external tables, which are no captures")
    parser.add_argument("--data", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--card", type=Path, default=CARD, help=f"card that gives τ ({CARD})")
    parser.add_argument("--json", action="store_true", help="print all numbers as JSON")
    parser.set_defaults(run=run)


def run(options: Namespace, settings: object) -> int:
    """Print prevalence at the promotion's τ, the rule, and the walk-forward figures by table."""
    found = evaluate_tables(options.data, _tau(options.card))
    lines = [json.dumps(found, indent=2, allow_nan=False)] if options.json else table_lines(found)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _tau(card: Path) -> dict[str, float]:
    """Return the promotion's τ by product; none where no card has been written yet."""
    if not card.exists():
        return {}
    try:
        tau = json.loads(card.read_text(encoding="utf-8"))["tau"]
        return {str(product): float(value) for product, value in tau.items()}
    except (ValueError, KeyError, AttributeError, TypeError) as exc:
        raise DatasetError(f"{card}: found {exc!r}, expected a model card with τ") from exc
