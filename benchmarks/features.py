"""What a tick's features cost, beside other ways to make the same, and how that grows.

    python benchmarks/features.py [--ticks 40000] [--rounds 5]

Agreement of all ways is checked before anything is timed; a library that is not installed is named
and left out. Ways take turns within one run, and figures are medians of CPU time.
Writes ``benchmarks/results/features.json``, of which ``benchmarks/page.py`` makes tables.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from math import isclose
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.batch import COLUMNS, batch
from benchmarks.growth import GROWN, PRODUCTS, by_products, by_window
from benchmarks.measure import Result, Table, calls, cpu_us, interleaved, machine, quantile, write
from benchmarks.streams import STREAMS, Stream
from benchmarks.ticks import ticks
from featurizer import row as row_codec
from featurizer.engine import FeatureEngine
from featurizer.features import REQUIRED
from featurizer.slots import Timeline
from ingestor import tick as tick_codec
from ingestor.tick import Tick

HERE: Final = "this engine: 14 features, level, coverage, row with its id"
BATCH: Final = 150_000
NEEDS: Final = {"river, `TimeRolling` a window": "river"}


def agree(streams: dict[str, Any], events: Sequence[Tick]) -> None:
    """Compare each way with the engine on each tick; raises ``ValueError`` where they differ."""
    here, made = FeatureEngine(), {name: make() for name, make in streams.items()}
    for event in events:
        row = here.update(event)
        assert row is not None
        wanted = [row.features[name] for name in REQUIRED]
        for name, stream in made.items():
            for feature, mine, theirs in zip(REQUIRED, wanted, stream.update(event), strict=True):
                if not _same(mine, theirs):
                    raise ValueError(f"{name}: {feature} {theirs}, the engine has {mine}")


def _same(mine: float | None, theirs: float | None) -> bool:
    if mine is None or theirs is None:
        return mine is theirs
    return isclose(mine, theirs, rel_tol=1e-6, abs_tol=1e-9)


def beside(events: Sequence[Tick], rounds: int) -> tuple[Table, dict[str, Any]]:
    """Measure all ways on the same ticks."""
    missing = [name for name, package in NEEDS.items() if find_spec(package) is None]
    streams = {name: make for name, make in STREAMS.items() if name not in missing}
    agree(streams, events[:12_000])
    makes = {**streams, HERE: FeatureEngine}
    means = interleaved({n: partial(_mean, make, events) for n, make in makes.items()}, rounds)
    found: dict[str, dict[str, float]] = {}
    for name, make in makes.items():
        rising = calls(_warm(make(), events), events[len(events) // 2 :])
        shares = {f"p{share}": quantile(rising, share / 100) for share in (50, 99)}
        found[name] = {"mean": means[name], **shares}
    rows = [
        (
            name,
            *(f"{f[key]:.1f}" for key in ("mean", "p50", "p99")),
            f"{f['mean'] / means[HERE]:.2f}",
        )
        for name, f in found.items()
    ]
    rows += [(f"{name} (not installed where this ran)", "–", "–", "–", "–") for name in missing]
    about = (
        f"{len(events)} ticks of one product at 19.6 a second, one minute in ten at 129, a Tick in,"
        " a row of numbers out; µs of CPU a tick."
    )
    columns = ("way", "mean", "p50 of a call", "p99", "mean × this engine's")
    return Table("Features a tick", about, columns, tuple(rows)), found


def _mean(make: Any, events: Sequence[Tick]) -> float:
    return cpu_us(make().update, events)


def _warm(stream: Stream | FeatureEngine, events: Sequence[Tick]) -> Any:
    for event in events[: len(events) // 2]:
        stream.update(event)
    return stream.update


def codec(events: Sequence[Tick], rounds: int) -> tuple[Table, dict[str, Any]]:
    """Measure bytes to struct and back, checked, beside ``json`` and ``orjson`` unchecked."""
    here = FeatureEngine()
    rows = [row for event in events if (row := here.update(event)) is not None]
    tick_bytes, row_bytes = [*map(tick_codec.encode, events)], [*map(row_codec.encode, rows)]
    plain = [json.loads(data) for data in tick_bytes]
    ways = {
        "tick: encode": (tick_codec.encode, events),
        "tick: decode, types and limits checked": (tick_codec.decode, tick_bytes),
        "row: encode": (row_codec.encode, rows),
        "row: decode, checked": (row_codec.decode, row_bytes),
        "tick by `json`, unchecked: encode": (json.dumps, plain),
        "tick by `json`, unchecked: decode": (json.loads, tick_bytes),
    }
    if find_spec("orjson") is not None:
        import orjson

        ways["tick by `orjson`, unchecked: encode"] = (orjson.dumps, plain)
        ways["tick by `orjson`, unchecked: decode"] = (orjson.loads, tick_bytes)
    found = interleaved({name: partial(cpu_us, *way) for name, way in ways.items()}, rounds)
    lines = tuple((name, f"{us:.2f}") for name, us in found.items())
    return Table("Codec", "µs of CPU a message.", ("what", "a message"), lines), found


def spent(events: Sequence[Tick], rounds: int) -> tuple[Table, dict[str, Any]]:
    """Measure what a tick is spent on, by leaving out what comes after."""
    ways = {
        "slots": lambda: cpu_us(Timeline("f").take, events),
        "level": lambda: cpu_us(FeatureEngine().restore, events),
        "features and row": lambda: cpu_us(FeatureEngine().update, events),
    }
    upto = interleaved(ways, rounds)
    lines, before = list[tuple[str, ...]](), 0.0
    for name, us in upto.items():
        lines.append((name, f"{us - before:.2f}", f"{us:.2f}"))
        before = us
    about = "µs of CPU a tick, by itself and with all before it: the profile of the first table."
    columns = ("what", "by itself", "up to here")
    return Table("What a tick is spent on", about, columns, tuple(lines)), upto


def aims(found: dict[str, Any]) -> Table:
    """Put what was aimed at beside what this run reached."""
    here, codec_ = found["beside"][HERE], found["codec"]
    windows_ = [found["window"][str(w)] for w in GROWN]
    products = [found["products"][f"{n} turns"] for n in PRODUCTS]
    tick_us = sum(us for name, us in codec_.items() if name.startswith("tick: "))
    rate = found["batch"][COLUMNS]
    lines = (
        ("features a tick, mean", "at most 4 µs, in pure Python 8", f"{here['mean']:.1f} µs"),
        ("features a tick, p99", "at most 50 µs", f"{here['p99']:.0f} µs"),
        ("windows from 60 to 3,600 s", "at most × 1.2", f"× {max(windows_) / windows_[0]:.2f}"),
        ("1 to 400 products by turns", "at most × 1.2", f"× {max(products) / products[0]:.2f}"),
        ("a tick decoded, checked and encoded", "at most 1.3 µs", f"{tick_us:.2f} µs"),
        ("a day in batch, with labels", "at least 5 M ticks/s", f"{rate / 1e6:.2f} M ticks/s"),
    )
    return Table("Aims", "Of CPU, in this run.", ("what", "aim", "reached"), lines)


def main() -> int:
    """Measure, write the result and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    events = ticks(options.ticks)
    parts = {
        "beside": beside(events, options.rounds),
        "spent": spent(events, options.rounds),
        "window": by_window(options.rounds),
        "products": by_products(options.rounds),
        "codec": codec(events[:10_000], options.rounds),
        "batch": batch(ticks(BATCH), options.rounds),
    }
    figures = {name: found for name, (_, found) in parts.items()}
    tables = (aims(figures), *(table for table, _ in parts.values()))
    where = machine(("river", "msgspec", "orjson"))
    sys.stdout.write(f"{write(Result('features', where, tables, figures))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
