"""Captures: the rows of each recording or feed made, shard by shard, and counted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingestor.tick import Dialect
from training.batch.keys import read_keys
from training.batch.labelled import labelled
from training.data.coverage import Coverage
from training.data.parallel import Executor
from training.data.progress import Progress
from training.data.shards import Shard
from training.data.sources import Source


@dataclass(frozen=True, slots=True)
class Capture:
    """One recording, or one feed of the topic; times are event times in epoch microseconds.

    ``counts`` says what became of events and rows, and of time (``gaps``, ``gap_seconds``,
    ``longest_gap_s``); ``rows`` says it of the rows by product, ``usable`` how many of each
    may be learned from; ``coverage`` what is known of each product's time; ``notes`` what was
    missing, skipped, or is to be known otherwise.
    """

    file: str
    sha256: str
    dialect: Dialect
    first_us: int
    last_us: int
    counts: Mapping[str, int]
    rows: Mapping[str, Mapping[str, int]]
    coverage: Mapping[str, Coverage]
    notes: tuple[str, ...] = ()

    @property
    def usable(self) -> dict[str, int]:
        """How many rows of each product may be learned from."""
        found = {product: fates.get("usable", 0) for product, fates in self.rows.items()}
        return {product: n for product, n in sorted(found.items()) if n}


def capture_lines(capture: Capture) -> list[str]:
    """Return what one capture holds: rows, and by product time, gaps and what was dropped."""
    events = sum(n for kind, n in capture.counts.items() if kind.startswith("events_"))
    rows = ", ".join(f"{n} of {product}" for product, n in capture.usable.items())
    lines = [f"read      {capture.file}: {events} events, usable rows: {rows}"]
    lines += [f"            note: {note}" for note in capture.notes]
    for product, found in capture.coverage.items():
        dropped = ", ".join(
            f"{n} {fate}" for fate, n in capture.rows.get(product, {}).items() if fate != "usable"
        )
        lines.append(
            f"            {product}: {_coverage_text(found)}; dropped: {dropped or 'none'}"
        )
    return lines


def count_lines(counts: Mapping[str, int]) -> list[str]:
    """Return what became of all events, rows and seconds of a dataset."""
    return [
        f"{part:<10}" + ", ".join(f"{n} {k}" for k, n in named_counts(counts, part).items())
        for part in ("events", "rows")
    ] + [
        f"time      {counts['seconds']} product seconds known, {counts['gap_seconds']} in"
        f" {counts['gaps']} gaps (longest {counts['longest_gap_s']} s)",
        f"captures  {counts['captures']} used, {counts['left_out']} left out",
    ]


def _coverage_text(found: Coverage) -> str:
    breaks = ", ".join(f"{n} {reason}" for reason, n in sorted(found.breaks.items()))
    return (
        f"{found.ticks} ticks, {found.share:.1%} of {found.seconds + found.gap_seconds} s known,"
        f" {found.gaps} gaps (longest {found.longest_gap_s} s), breaks: {breaks or 'none'},"
        f" sizes in {found.sized_share:.0%} of the ticks"
    )


@dataclass(frozen=True, slots=True)
class LabelledCapture:
    """A capture, whether it was named by itself, and the files of its rows in their order."""

    capture: Capture
    named: bool
    parts: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Labelling:
    """The task of one shard: its rows go to ``part``."""

    shard: Shard
    part: Path


def _label(task: _Labelling) -> dict[str, int]:
    """Write the rows of one shard and return what became of events and rows."""
    from training.data import parquet

    shard = task.shard
    rows = labelled(*read_keys(shard.path), (shard.start_us, shard.end_us), shard.state)
    parquet.write_part(rows, task.part)
    shard.path.unlink()
    return rows.counts


def captures_of(
    sources: Sequence[Source], executor: Executor, progress: Progress
) -> list[LabelledCapture]:
    """Make the rows of all shards and return the captures in order of time."""
    tasks = [
        _Labelling(shard, shard.path.with_suffix(".parquet"))
        for source in sources
        for shard in source.shards
    ]
    progress.begin("labelling", sum(task.shard.events for task in tasks), "events")
    counts = executor.run(_label, tasks, lambda at: progress.advance(tasks[at].shard.events))
    at, made = 0, []
    for source in sources:
        own = slice(at, at := at + len(source.shards))
        made.append(_made(source, tasks[own], counts[own]))
    return sorted(made, key=lambda m: (m.capture.first_us, m.capture.file, m.capture.sha256))


def _made(
    source: Source, tasks: Sequence[_Labelling], counts: Sequence[Mapping[str, int]]
) -> LabelledCapture:
    total: Counter[str] = Counter()
    rows: dict[str, Counter[str]] = {product: Counter() for product in sorted(source.coverage)}
    for task, found in zip(tasks, counts, strict=True):
        total.update(found)
        rows[task.shard.product].update(named_counts(found, "rows"))
    time = _time_counts(source.coverage.values())
    capture = Capture(
        file=source.name,
        sha256=source.sha256,
        dialect=source.dialect,
        first_us=source.first_us,
        last_us=source.last_us,
        counts=dict(sorted(total.items())) | time,
        rows={product: dict(sorted(fates.items())) for product, fates in rows.items()},
        coverage=source.coverage,
        notes=source.notes,
    )
    return LabelledCapture(capture, source.named, tuple(task.part for task in tasks))


def _time_counts(coverage: Iterable[Coverage]) -> dict[str, int]:
    found = list(coverage)
    return {
        "seconds": sum(c.seconds for c in found),
        "gaps": sum(c.gaps for c in found),
        "gap_seconds": sum(c.gap_seconds for c in found),
        "longest_gap_s": max((c.longest_gap_s for c in found), default=0),
        "missing_trades": sum(c.missing_trades for c in found),
    }


def counts_of(captures: Sequence[Capture], left_out: Sequence[object]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for capture in captures:
        total.update({k: n for k, n in capture.counts.items() if k != "longest_gap_s"})
    longest = max((capture.counts["longest_gap_s"] for capture in captures), default=0)
    numbers = {"captures": len(captures), "left_out": len(left_out), "longest_gap_s": longest}
    return dict(sorted(total.items())) | numbers


def named_counts(counts: Mapping[str, int], part: str) -> dict[str, int]:
    prefix = part + "_"
    return {k.removeprefix(prefix): n for k, n in counts.items() if k.startswith(prefix)}
