"""``python -m training events``: what states and chances say of days no model saw, by events."""

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any, Final

from training.events.found import find_events
from training.events.lines import event_lines
from training.events.pages import write_pages
from training.venues.judging import missing
from training.venues.stored import document_of, figures

DATA: Final = Path("../shared/data")
STORED: Final = Path(__file__).parents[1] / "events" / "stored.json"


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("events", help="starts, leads and onsets on days left out")
    parser.add_argument("--data", type=Path, default=DATA, help=f"folder of the data ({DATA})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    parser.add_argument("--write", action="store_true", help="put the tables into the pages here")
    parser.set_defaults(run=run)


def run(options: Namespace, settings: object) -> int:
    """Count the events, or print what is kept where the days are absent."""
    said, found = figures(options.data, missing(options.data), find_events, STORED)
    lines = [said, *event_lines(found)]
    if options.write:
        lines += [f"wrote {page}" for page in write_pages(Path(), found)]
    sys.stdout.write("\n".join(lines) + "\n")
    if options.json:
        options.json.write_text(document_of(found), encoding="utf-8")
    return 0
