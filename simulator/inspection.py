"""What a recording holds: span, rates, gaps, oddities, and whether models can learn from it."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from ingestor.advanced import Quotes, Trades
from ingestor.advanced import parse as understand
from ingestor.instant import SECOND_US, instant, text_of
from ingestor.recordings.formats import Entry, parse
from ingestor.recordings.lines import RecordedLines, RecordingError
from ingestor.recordings.recording import SILENCE_US

SUFFIXES: Final = tuple(
    f".{kind}{packed}" for kind in ("ndjson", "jsonl", "json") for packed in ("", ".gz")
)
BACKWARDS_US: Final = SECOND_US
"""Frames older than those before by more than this are skipped by training."""
LEAST_US: Final = 360 * SECOND_US
"""Training takes rows whose 300 s are behind them and whose label, the 60 s after, is there."""
REPEATED_SHARE: Final = 0.05
"""Above so many tickers at the time of the one before, training refuses the file."""
_FINE: Final = re.compile(r"\.\d{7,9}")
_RECEIVED: Final = re.compile(rb'"(?:ingest_time|received_at)":\s*"([^"]+)"')


@dataclass(slots=True)
class ProductFindings:
    """One product's tickers and trades; a gap is over 10 s of event time without any of its own."""

    ticks: int = 0
    trades: int = 0
    sized: int = 0
    repeated: int = 0
    gaps: int = 0
    longest_us: int = 0
    newest_us: int = -1
    last_tick_us: int = -1

    def tick(self, time_us: int, sized: bool) -> None:
        """Take a ticker."""
        self.ticks += 1
        self.sized += sized
        self.repeated += time_us == self.last_tick_us
        self.last_tick_us = time_us
        self._seen(time_us)

    def trade(self, time_us: int) -> None:
        """Take a trade."""
        self.trades += 1
        self._seen(time_us)

    def _seen(self, time_us: int) -> None:
        if self.newest_us >= 0:
            gap = time_us - self.newest_us
            self.gaps += gap > SILENCE_US
            self.longest_us = max(self.longest_us, gap)
        self.newest_us = max(self.newest_us, time_us)


@dataclass(slots=True)
class Findings:
    """All that was found; times are epoch microseconds of the exchange, -1 where there are none.

    ``delays_us`` are the least and greatest way from the exchange's time to the recorder's.
    """

    name: str
    file_bytes: int
    frames: int = 0
    frame_bytes: int = 0
    first_us: int = -1
    last_us: int = -1
    fine_times: int = 0
    received: int = 0
    delays_us: tuple[int, int] | None = None
    channels: Counter[str] = field(default_factory=Counter)
    products: dict[str, ProductFindings] = field(default_factory=dict)
    oddities: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()
    refused: str | None = None

    @property
    def seconds(self) -> float:
        """The span of event time."""
        return max(self.last_us - self.first_us, 0) / SECOND_US

    @property
    def ticks(self) -> int:
        """Tickers of all products."""
        return sum(each.ticks for each in self.products.values())


def recordings_at(path: Path) -> list[Path]:
    """Return the recording, or those of a folder in order of their names.

    Raises:
        RecordingError: nothing is there.
    """
    found = [path] if path.is_file() else []
    if path.is_dir():
        found = [p for p in sorted(path.iterdir()) if p.name.endswith(SUFFIXES)]
    if not found:
        raise RecordingError(f"{path}: found no recording, expected one or a folder of them")
    return found


def inspect(path: Path) -> Findings:
    """Read a recording once, whatever is wrong with it; ``refused`` says why it is none."""
    found = Findings(path.name, path.stat().st_size)
    lines = RecordedLines(path)

    def refuse(reason: Exception) -> None:
        found.oddities["line that is no frame"] += 1
        lines.refuse(reason)

    try:
        for entry in parse(lines, refuse):
            _take(found, entry, lines.line)
        lines.finish()
    except RecordingError as exc:
        found.refused = str(exc)
    found.notes = lines.notes
    return found


def _take(found: Findings, entry: Entry, line: bytes) -> None:
    found.frames += 1
    found.frame_bytes += len(line) + 1
    found.channels[entry.envelope.channel] += 1
    found.fine_times += _FINE.search(entry.envelope.timestamp) is not None
    found.oddities["lost frame (by its number)"] += entry.lost
    found.oddities["connection begun anew"] += entry.restarted
    late = found.last_us >= 0 and entry.time_us < found.last_us - BACKWARDS_US
    found.oddities["frame over 1 s older than one before"] += late
    found.first_us = entry.time_us if found.first_us < 0 else min(found.first_us, entry.time_us)
    found.last_us = max(found.last_us, entry.time_us)
    _delay(found, entry.time_us, line)
    _content(found, entry)


def _delay(found: Findings, time_us: int, line: bytes) -> None:
    stamp = _RECEIVED.search(line)
    if stamp is None:
        return
    try:
        delay = instant(stamp[1].decode())[0] - time_us
    except ValueError:
        found.oddities["receive time that is none"] += 1
        return
    least, most = found.delays_us or (delay, delay)
    found.received += 1
    found.delays_us = min(least, delay), max(most, delay)


def _content(found: Findings, entry: Entry) -> None:
    """Count what the ingestor would make of the frame, and what it would refuse."""
    message = understand(msgspec.json.encode(entry.envelope), entry.time_us)
    for problem in message.problems:
        found.oddities[_kind(problem.reason)] += 1
    match message.content:
        case Quotes(quotes):
            for quote in quotes:
                sized = quote.bid_size is not None and quote.ask_size is not None
                _product(found, quote.product_id).tick(entry.time_us, sized)
        case Trades(trades):
            for trade in trades:
                _product(found, trade.product_id).trade(entry.time_us)


def _product(found: Findings, name: str) -> ProductFindings:
    return found.products.setdefault(name, ProductFindings())


def _kind(reason: str) -> str:
    """Return channel and field of a refusal: its first two words.

    >>> _kind("ticker: best_ask 1.0 found, expected at least best_bid 2.0")
    'refused ticker: best_ask'
    """
    return f"refused {' '.join(reason.split()[:2])}"


def obstacles(found: Findings) -> list[str]:
    """Return why nothing can be learned from it, the checks of training foremost; [] if it can."""
    if found.refused is not None:
        return [found.refused]
    if not found.ticks:
        return ["found no ticker, expected at least one"]
    reasons = []
    if not found.fine_times:
        reasons.append("no time is finer than a microsecond: these are a client's clock")
    repeated = sum(each.repeated for each in found.products.values())
    if repeated > REPEATED_SHARE * found.ticks:
        reasons.append(f"{repeated} of {found.ticks} tickers repeat the time before")
    if found.last_us - found.first_us < LEAST_US:
        reasons.append(f"{found.seconds:.0f} s long, expected at least {LEAST_US // SECOND_US}")
    return reasons


def report(found: Findings) -> Iterator[str]:
    """Give what was found, line by line, for a person to read."""
    yield f"{found.name}: {found.file_bytes} bytes on disk, {found.frame_bytes} of frames"
    if found.frames:
        yield from _amounts(found)
    for name, each in sorted(found.products.items()):
        yield f"  {name:<12} {_product_text(each, found.seconds)}"
    odd = ", ".join(f"{n} × {kind}" for kind, n in sorted(found.oddities.items()) if n)
    yield f"  oddities     {odd or 'none'}"
    yield from (f"  note         {note}" for note in found.notes)
    reasons = obstacles(found)
    yield f"  training     {'no: ' + '; '.join(reasons) if reasons else 'yes'}"


def _amounts(found: Findings) -> Iterator[str]:
    rate = found.frames / found.seconds if found.seconds else 0.0
    yield (
        f"  span         {text_of(found.first_us)} to {text_of(found.last_us)},"
        f" {found.seconds:.0f} s"
    )
    each = ", ".join(f"{n} {channel}" for channel, n in sorted(found.channels.items()))
    yield f"  frames       {found.frames}, {rate:.2f} a second: {each}"
    if found.delays_us is not None:
        least, most = (us / SECOND_US for us in found.delays_us)
        yield f"  received     {least:.3f} to {most:.3f} s after the exchange's time"


def _product_text(each: ProductFindings, seconds: float) -> str:
    rate = each.ticks / seconds if seconds else 0.0
    sized = each.sized / each.ticks if each.ticks else 0.0
    return (
        f"{each.ticks} ticks, {rate:.2f} a second, sizes in {sized:.0%}; {each.trades} trades;"
        f" {each.gaps} gaps over 10 s, longest {each.longest_us / SECOND_US:.1f} s"
    )
