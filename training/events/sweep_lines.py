"""The table of the sweep: in the decision's page, and on the terminal."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from signals.leads import EARLY
from training.events.lines import gain_text
from training.events.sweep import SWEPT_LEADS
from training.report.marks import markdown, with_table

Found = Mapping[str, Any]

COMMAND: Final = "events --sweep --write"
TABLE: Final = "sweep"
PAGE: Final = "docs/adr/0016-the-constants-of-the-hysteresis-stay.md"


def sweep_lines(found: Found) -> list[str]:
    """Return the table: counts over all days, what is ahead less chance by venue."""
    venues = _venues(found)
    head = ["constants", "state", "starts a day", "under 5 s", "restarts", "in state", "right"]
    head += [f"{venue}, above chance" for venue in venues]
    return markdown(
        [*head, f"above the contract at {EARLY} s", "passes"],
        [_cells(name, state, level, found) for name, state, level in _rows(found)],
    )


def sweep_text(found: Found) -> Iterator[str]:
    """Return the figures for a terminal: what is picked, then the table."""
    yield f"{found['days']} days of all venues, each by the θ of all others; above chance at"
    yield f"{', '.join(str(lead) for lead in SWEPT_LEADS)} s; picked: {found['picked']}"
    yield from sweep_lines(found)


def write_sweep(root: Path, found: Found) -> list[str]:
    """Put the table into its page below ``root``, and return which it is.

    Raises:
        MarksError: the page lacks its marks.
    """
    page = root / PAGE
    text = with_table(page.read_text(encoding="utf-8"), TABLE, COMMAND, sweep_lines(found))
    page.write_text(text, encoding="utf-8")
    return [PAGE]


def _venues(found: Found) -> list[str]:
    contract = next(iter(found["settings"].values()))
    return list(next(iter(contract["levels"].values()))["above_chance"])


def _rows(found: Found) -> Iterator[tuple[str, str, Any]]:
    for name, setting in found["settings"].items():
        if setting["levels"] is None:
            yield name, "refused", None
            continue
        for state, level in setting["levels"].items():
            yield name, state, level


def _cells(name: str, state: str, level: Any, found: Found) -> list[str]:
    if level is None:
        return [name, state, *["–"] * (len(_venues(found)) + 6), "no"]
    return [
        name,
        state,
        f"{level['starts_a_day']:.2f}",
        str(level["flickers"]),
        str(level["restarts"]),
        f"{level['in_state']:.3f}",
        f"{level['right']} of {level['right'] + level['wrong']}",
        *(_leads(of) for of in level["above_chance"].values()),
        gain_text(level["above_contract"]),
        "yes" if found["settings"][name]["passes"] else "no",
    ]


def _leads(of: Found) -> str:
    return " / ".join(f"{each:+.3f}" for each in of.values())
