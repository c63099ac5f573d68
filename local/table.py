"""What a human sees while it runs: a live table on a terminal, else a line every few seconds."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

LINE_SECONDS: Final = 5.0
TABLE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class View:
    """A moment of the run: seconds since readiness, records by topic and per second.

    ``score`` asks for the newest score by product, and only if they are to be shown.
    """

    seconds: float | None
    states: Mapping[str, str]
    ports: Mapping[str, int]
    counts: Mapping[str, int]
    rates: Mapping[str, float]
    replay: str
    score: Callable[[], Mapping[str, float | None]]


class Display(Protocol):
    """Shows views and messages until it is closed."""

    def say(self, text: str) -> None: ...
    def show(self, view: View) -> None: ...
    def close(self) -> None: ...


def line(view: View) -> str:
    """Return a view on one line.

    >>> line(View(3.2, {"scorer": "ended with 1"}, {}, {"ticks": 12}, {"ticks": 4.0}, "", dict))
    '    3 s  ticks 12 (4/s)  [scorer: ended with 1]'
    """
    clock = "start" if view.seconds is None else f"{view.seconds:5.0f} s"
    parts = [clock]
    parts += [
        f"{name} {count} ({view.rates.get(name, 0.0):.0f}/s)"
        for name, count in view.counts.items()
        if count or name != "dead-letters"
    ]
    parts += [f"{product} {_score(score)}" for product, score in view.score().items()]
    parts += [f"[{name}: {state}]" for name, state in view.states.items() if state != "ready"]
    return "  ".join(filter(None, [*parts, view.replay]))


def table(view: View) -> Group:
    """Return a view as two small tables: the children, and what flows."""
    children = Table(box=None, pad_edge=False)
    for heading in ("service", "port", "state"):
        children.add_column(heading)
    for name, state in view.states.items():
        style = {"ready": "green", "starting": "yellow"}.get(state, "bold red")
        children.add_row(name, str(view.ports.get(name, "")), Text(state, style))
    flow = Table(box=None, pad_edge=False)
    for heading in ("topic", "records", "per second"):
        flow.add_column(heading, justify="right" if heading != "topic" else "left")
    for name, count in view.counts.items():
        flow.add_row(name, str(count), f"{view.rates.get(name, 0.0):.1f}")
    for product, score in view.score().items():
        flow.add_row(f"score {product}", _score(score), "")
    clock = "starting" if view.seconds is None else f"{view.seconds:.0f} s since ready"
    return Group(Text(f"{clock}  {view.replay}".strip(), "bold"), children, flow)


def _score(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"


class Lines:
    """Messages as they come, and a line every few seconds, on stderr."""

    def __init__(self) -> None:
        self._next = 0.0

    def say(self, text: str) -> None:
        """Print a message."""
        print(text, file=sys.stderr, flush=True)

    def show(self, view: View) -> None:
        """Print a view, if the last one is some seconds old."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_SECONDS
            self.say(line(view))

    def close(self) -> None:
        """Nothing stays open."""


class Terminal:
    """A live table below the messages, on stderr."""

    def __init__(self) -> None:
        self._next = 0.0
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def say(self, text: str) -> None:
        """Print a message above the table."""
        self._console.print(text, markup=False)

    def show(self, view: View) -> None:
        """Draw the table anew, once a second."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + TABLE_SECONDS
            self._live.update(table(view), refresh=True)

    def close(self) -> None:
        """Take the table away and leave the messages."""
        self._live.stop()


def display() -> Display:
    """Return what suits stderr."""
    return Terminal() if sys.stderr.isatty() else Lines()
