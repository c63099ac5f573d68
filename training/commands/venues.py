"""``python -m training venues``: days of other venues, judged in units of their levels."""

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any, Final

from training.venues.judging import judge, missing
from training.venues.stored import document_of, figures
from training.venues.table import judging_lines

DATA: Final = Path("../shared/data")


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("venues", help="days of trades of other venues, judged by days")
    parser.add_argument("--data", type=Path, default=DATA, help=f"folder of the data ({DATA})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    parser.set_defaults(run=run)


def run(options: Namespace, settings: object) -> int:
    """Judge the days, or print what is kept where they are absent."""
    absent = missing(options.data)
    said, found = figures(options.data, absent, judge)
    sys.stdout.write("\n".join([said, *judging_lines(found)]) + "\n")
    if options.json:
        options.json.write_text(document_of(found), encoding="utf-8")
    return 0
