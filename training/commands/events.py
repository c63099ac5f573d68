"""``python -m training events``: what states and chances say of days no model saw, by events."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from training.events.found import find_events
from training.events.lines import event_lines
from training.events.pages import write_pages
from training.events.sweep import find_sweep
from training.events.sweep_lines import sweep_text, write_sweep
from training.venues.judging import missing
from training.venues.stored import document_of, figures

DATA: Final = Path("../shared/data")
FOLDER: Final = Path(__file__).parents[1] / "events"
STORED: Final = FOLDER / "stored.json"
STORED_SWEEP: Final = FOLDER / "sweep.json"

Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Table:
    """What is found, where it is kept, and how it is shown."""

    find: Callable[[Path], dict[str, Any]]
    kept: Path
    lines: Callable[[Found], Iterable[str]]
    write: Callable[[Path, Found], list[str]]


EVENTS: Final = _Table(find_events, STORED, event_lines, write_pages)
SWEEP: Final = _Table(find_sweep, STORED_SWEEP, sweep_text, write_sweep)


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("events", help="starts, leads and onsets on days left out")
    parser.add_argument("--data", type=Path, default=DATA, help=f"folder of the data ({DATA})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    parser.add_argument("--write", action="store_true", help="put the tables into the pages here")
    parser.add_argument("--sweep", action="store_true", help="of other constants of the hysteresis")
    parser.set_defaults(run=run)


def run(options: Namespace, settings: object) -> int:
    """Count the events, or print what is kept where the days are absent."""
    table = SWEEP if options.sweep else EVENTS
    said, found = figures(options.data, missing(options.data), table.find, table.kept)
    lines = [said, *table.lines(found)]
    if options.write:
        lines += [f"wrote {page}" for page in table.write(Path(), found)]
    sys.stdout.write("\n".join(lines) + "\n")
    if options.json:
        options.json.write_text(document_of(found), encoding="utf-8")
    return 0
