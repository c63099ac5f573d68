"""``python -m training rationale RUN_FOLDER``: put a run's figures into the selection rationale."""

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from training.report.rationale import RationaleError, write_tables

PAGE = Path("docs/selection_rationale.md")


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("rationale", help=f"write a run's figures into {PAGE}")
    parser.add_argument("run_folder", type=Path, help="a run folder with report.json")
    parser.add_argument("--page", type=Path, default=PAGE, help=f"the page ({PAGE})")
    parser.set_defaults(run=run)


def run(options: Namespace, settings: object) -> int:
    """Write the tables, so that page and run cannot drift apart."""
    path = options.run_folder / "report.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        write_tables(options.page, report)
    except (OSError, ValueError, KeyError) as exc:
        raise RationaleError(f"{path}: found {exc!r}, expected the report of a run") from exc
    sys.stdout.write(f"wrote {options.page} from {path}\n")
    return 0
