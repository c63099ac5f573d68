"""How fast a recorded stretch becomes labelled rows, by columns and one event after the other."""

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import Table, cpu_us, interleaved
from ingestor.tick import Tick, encode
from tests.training.batch.equal import of_columns, of_rows
from tests.training.labeller import Labeller
from training.batch.keys import fetch_of, keys_of, read_keys
from training.batch.labelled import labelled

ONE_BY_ONE = "one tick after the other, by the live engine"
COLUMNS = "keys in columns to labelled rows"
TICKS = "ticks to labelled rows"
LINES = "a file of lines to labelled rows"


def batch(events: Sequence[Tick], rounds: int) -> tuple[Table, dict[str, Any]]:
    """Measure rows of each second's last tick, with labels, as training makes them.

    Raises:
        ValueError: columns and engine differ in a bit.
    """
    some = events[: len(events) // 10]
    keys = keys_of(events)
    if of_columns(labelled(keys_of(some), fetch_of(some))) != of_rows(Labeller().rows(some)):
        raise ValueError("found other rows by columns, expected those of the live engine")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ticks"
        path.write_bytes(b"".join(encode(event) + b"\n" for event in events))
        ways = {
            ONE_BY_ONE: partial(_rate, lambda: [*Labeller().rows(some)], len(some)),
            COLUMNS: partial(_rate, lambda: labelled(keys, fetch_of(events)), len(events)),
            TICKS: partial(_rate, lambda: labelled(keys_of(events), fetch_of(events)), len(events)),
            LINES: partial(_rate, lambda: labelled(*read_keys(path)), len(events)),
        }
        found = interleaved(ways, rounds)
    slow = found[ONE_BY_ONE]
    lines = tuple((name, f"{rate:,.0f}", f"{rate / slow:.1f}") for name, rate in found.items())
    seconds = len({event.time_us // 1_000_000 for event in events})
    about = (
        f"{len(events)} such ticks in {seconds} seconds to slots, levels, 14 features and labels,"
        " to the bits of the live rows, on one core; a row is made of each second's last tick."
    )
    return Table("Batch", about, ("what", "ticks a second of CPU", "×"), lines), found


def _rate(make: Any, count: int) -> float:
    return 1e6 / (cpu_us(lambda _: make(), [None]) / count)
