"""Records of starts, for those who tell of them."""

from collections.abc import Iterable

from msgspec.structs import replace

from signals.records import Record
from tests.signals.world import played, rows


def started(name: str = "BTC-USD", at: int = 30, level: int = 2, **more: object) -> Record:
    """The record of a product's start, ``at`` so many seconds after the world's first.

    A smoothed score takes some seconds more to be elevated.
    """
    severe = 0.8 if level == 2 else 0.01
    taken = [*rows(range(at - 30, at)), *rows(range(at, at + 60), 0.9, severe)]
    named = [replace(each, product_id=name, **more) for each in taken]
    return next(r for r in played(named) if getattr(r.event, "started", ()))


def names(starts: Iterable[dict[str, str]]) -> list[tuple[str, str]]:
    """Products and levels of starts in a message."""
    return [(start["product_id"], start["level"]) for start in starts]
