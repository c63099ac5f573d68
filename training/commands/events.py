"""``python -m training events``: what the states say of left-out days, by events."""

import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from training.venues.events import find_events
from training.venues.stored import document_of, figures
from training.venues.venue_days import missing

DATA: Final = Path("../shared/data")
STORED: Final = Path(__file__).parents[1] / "venues" / "stored_events.json"
ROWS: Final = ("model", "rule", "always")


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("events", help="starts, leads and onsets on days left out")
    parser.add_argument("--data", type=Path, default=DATA, help=f"folder of the data ({DATA})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    parser.set_defaults(run=run)


def run(options: Namespace, settings: object) -> int:
    """Count the events, or print what is kept where the days are absent."""
    absent = missing(options.data)
    said, found = figures(options.data, absent, find_events, STORED)
    sys.stdout.write("\n".join([said, *event_lines(found)]) + "\n")
    if options.json:
        options.json.write_text(document_of(found), encoding="utf-8")
    return 0


def event_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Return the figures as lines for a reader."""
    for name, choices in found["thresholds"].items():
        theta = ", ".join(
            f"{budget}: {c['theta'] or c['refused']}" for budget, c in choices.items()
        )
        yield f"θ of {name} by budget a day  {theta}"
    for name, level in found["levels"].items():
        kept = "kept" if level["interval_contains_budget"] else "not kept"
        yield (
            f"{name}, budget {level['budget']} a day, each day by the θ of the others: all days"
            f" {level['starts_a_day']:.2f} starts a day, {kept}"
        )
        for venue, of in level["venues"].items():
            within = "within" if of["within_factor_two"] else "not within"
            head = of["model"]
            yield (
                f"  {venue}: {head['covered_days']:.2f} days, {head['onsets']} onsets; starts"
                f" {within} half and twice the budget"
            )
            yield from (_line(row, of[row]) for row in ROWS)


def _line(name: str, table: Mapping[str, Any]) -> str:
    ahead = "  ".join(
        f"≥{each['lead']} s {_share(each['share'])} ({_share(each['chance'])})"
        for each in table["detected"]
    )
    decided = table["right"] + table["wrong"]
    return (
        f"    {name:<7} starts a day {table['starts_a_day']:7.2f}  in state"
        f" {table['share_in_state']:.3f}  detected (chance) {ahead}  already there"
        f" {table['already_there']} of {table['starts']}  right {table['right']} of {decided}"
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
