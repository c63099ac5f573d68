"""What a recording must not be: each refusal names file, row and reason.

``LeftOut`` is what a folder may hold and nothing is learned from; all else is an error.
"""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from featurizer.slots import MICROSECONDS
from ingestor.advanced import Quotes
from ingestor.instant import instant, text_of
from training.data.frames import RecordedFrame
from training.data.own_tables import SUFFIX, map_beside
from training.errors import DatasetError

SUFFIXES: Final = tuple(
    f".{kind}{packed}" for kind in ("ndjson", "jsonl", "json") for packed in ("", ".gz")
)
HOLDOUT: Final = ("adv_ticker_btc_20260405T2235_20min",)
"""Kept for the one final report: never in training or τ, under whatever suffix."""
BACKWARDS_US: Final = MICROSECONDS
"""A new connection's first frame may be a little older than the last one's; not more."""
REPEATED_SHARE: Final = 0.05
MOST_A_MINUTE: Final = {"advanced": 1_200, "exchange": 30_000}
"""Twice what was ever seen (10 a second, 243 in one); a replay on a wall clock goes beyond."""
LAGS: Final = 2_000
"""So many lags are looked at; fewer than ``FEWEST_LAGS`` say nothing."""
FEWEST_LAGS: Final = 100
NARROW_US: Final = 1_000
"""A network spreads receive − event time by more: healthy captures have 36 % within this."""
NARROW_SHARE: Final = 0.9

_NANOSECONDS: Final = re.compile(rb'"timestamp":\s*"[^"]*\.\d{7,9}(?:Z|[+-]\d\d:?\d\d)?"')
_RECEIVED: Final = re.compile(rb'"(?:ingest_time|received_at)":\s*"([^"]+)"')

_MINUTES: Final = "`python -m training minutes FILE` reads it"
_TABLES: Final = "`python -m training extras --data FOLDER` reads it"
_EXTERNAL: Final = (
    ("seed_features", "the published table; `python -m training seed-figure FILE` reads it"),
    ("adv_derived_", f"a derived table; {_TABLES}"),
    ("peer_1s_", f"a derived table; {_TABLES}"),
    ("exch_minutes_", f"minute rows; {_MINUTES}"),
    ("gdax_", f"bars of 2016; {_TABLES}"),
    ("exch_l2", f"an order book; {_TABLES}"),
    ("exch_mixed", "frames of the Exchange dialect without tickers"),
    ("exch_frames", "frames of the Exchange dialect without quote sizes"),
)
_NO_RECORDING: Final = (".parquet", ".csv", ".csv.gz", ".zip", ".txt.gz", ".npz")
EXPECTED: Final = "expected a recording of tickers"


class LeftOut(DatasetError):
    """A recording that a folder may hold and that is not learned from, with the reason."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file, self.reason = file, reason


class HeldOut(LeftOut):
    """The recording is kept for the final report."""


def external_table(name: str) -> str | None:
    """Return what a file is by its name, and who reads it; None if it may be a recording.

    >>> external_table("exch_minutes_btc_20260706_20260805.csv.gz")
    'minute rows; `python -m training minutes FILE` reads it, expected a recording of tickers'
    """
    for prefix, kind in _EXTERNAL:
        if name.startswith(prefix):
            return f"{kind}, {EXPECTED}"
    return f"a table, {EXPECTED}, or {name}{SUFFIX} beside it" if _is_table(name) else None


def _is_table(name: str) -> bool:
    return name.endswith(_NO_RECORDING)


def files_of(path: Path) -> Iterator[tuple[Path, bool]]:
    """Return recordings and tables, and whether each was named by itself or by its folder.

    Raises:
        DatasetError: nothing is there.
    """
    if path.is_dir():
        wanted = (p for p in sorted(path.iterdir()) if _is_wanted(p.name))
        yield from ((p, False) for p in wanted)
    elif path.is_file():
        yield path, True
    else:
        raise DatasetError(f"{path}: found nothing, expected a recording or a folder of them")


def _is_wanted(name: str) -> bool:
    return name.endswith(SUFFIXES + _NO_RECORDING) and not name.endswith(SUFFIX)


def admit(path: Path, holdout: tuple[str, ...]) -> None:
    """Refuse by name alone what is held out and what is no recording.

    A table with a map of its columns beside it is one.

    Raises:
        LeftOut: with the reason.
    """
    name = path.name
    if name.split(".")[0] in holdout:
        raise HeldOut(name, "holdout: kept for the final report")
    kind = None if map_beside(path).exists() else external_table(name)
    if kind is not None:
        raise LeftOut(name, kind)


@dataclass(slots=True)
class RateCheck:
    """Refuses ticks that come faster than the exchange sends them: a replay's wall clock.

    ``name`` is the file's or the feed's; memory holds one minute of the fastest credible feed.
    """

    name: str
    _times: dict[str, deque[int]] = field(default_factory=dict)

    def see(self, product: str, dialect: str, time_us: int, row: str) -> None:
        """Take one tick; ``row`` says where it stands.

        Raises:
            LeftOut: a minute of event time holds more ticks than the dialect can send.
        """
        most = MOST_A_MINUTE[dialect]
        times = self._times.get(product)
        if times is None:
            times = self._times[product] = deque(maxlen=most)
        if len(times) == most and time_us - times[0] < 60 * MICROSECONDS:
            seconds = (time_us - times[0]) / MICROSECONDS
            raise LeftOut(
                self.name,
                f"{row}: found {most + 1} ticks of {product} in {seconds:.1f} s of event time,"
                f" expected at most {most} a minute: these times are a wall clock's",
            )
        times.append(time_us)


@dataclass(slots=True)
class ClockCheck:
    """Refuses times that the recorder wrote itself: they say nothing about the market.

    The exchange writes nanoseconds, and the way from it to a recorder takes a varying time.
    """

    name: str
    tickers: int = 0
    nanoseconds: bool = False
    _lags: Counter[int] = field(default_factory=Counter)

    def see(self, recorded: RecordedFrame, time_us: int) -> None:
        """Take one frame of tickers of that time."""
        self.tickers += 1
        if not self.nanoseconds:
            self.nanoseconds = _NANOSECONDS.search(recorded.frame) is not None
        if self.tickers <= LAGS:
            self._lag(time_us, recorded.line)

    def _lag(self, time_us: int, line: bytes) -> None:
        found = _RECEIVED.search(line)
        if found is not None:
            try:
                received_us, _ = instant(found[1].decode())
            except ValueError:
                return
            self._lags[2 * (received_us - time_us) // NARROW_US] += 1

    def finish(self) -> str | None:
        """Return why the times are a client's, by all that was seen; None if they are not."""
        if not self.nanoseconds:
            return (
                f"found no time finer than a microsecond in {self.tickers} tickers,"
                " expected the exchange's nanoseconds: these are a client's clock"
            )
        total = self._lags.total()
        narrow = max((n + self._lags[at + 1] for at, n in list(self._lags.items())), default=0)
        if total >= FEWEST_LAGS and narrow >= NARROW_SHARE * total:
            return (
                f"found {narrow} of {total} event times at one distance from their receive times"
                f" (within {NARROW_US // 1000} ms), expected a network's: these are a client's"
                " clock"
            )
        return None


@dataclass(slots=True)
class RecordingCheck:
    """Looks at each message of a recording on its way; ``refuse`` skips the last line read."""

    name: str
    refuse: Callable[[str], object]
    latest_us: int = -1
    repeated: int = 0
    first_repeated: int = 0
    _newest: dict[str, int] = field(default_factory=dict)
    _clock: ClockCheck = field(init=False)
    _pace: RateCheck = field(init=False)

    def __post_init__(self) -> None:
        """Make the two checks of time."""
        self._clock, self._pace = ClockCheck(self.name), RateCheck(self.name)

    def see(self, recorded: RecordedFrame) -> bool:
        """Say whether a message is to be taken; what cannot be used of it counts as a skipped line.

        Raises:
            LeftOut: ticks come impossibly fast.
            RecordingError: nearly all lines are skipped.
        """
        message, number = recorded.message, recorded.number
        reasons = [problem.reason for problem in message.problems]
        time_us = self.latest_us if message.time_us is None else message.time_us
        early = time_us < self.latest_us - BACKWARDS_US
        if early:
            reasons.append(
                f"found {text_of(time_us)} after {text_of(self.latest_us)},"
                " expected frames in order of time"
            )
        if reasons:
            self.refuse("; ".join(reasons))
        if early:
            return False
        self.latest_us = max(self.latest_us, time_us)
        if isinstance(message.content, Quotes):
            self._clock.see(recorded, time_us)
            for quote in message.content.quotes:
                self._tick(quote.product_id, time_us, number)
        return True

    def _tick(self, product: str, time_us: int, number: int) -> None:
        newest = self._newest.get(product, -1)
        if time_us == newest:
            self.repeated += 1
            self.first_repeated = self.first_repeated or number
        self._newest[product] = max(time_us, newest)
        self._pace.see(product, "advanced", time_us, f"line {number}")

    def finish(self, notes: Sequence[str] = ()) -> str | None:
        """Refuse what only the whole recording shows; return why it is not to be learned from.

        ``notes`` are what is known of it otherwise.

        Raises:
            DatasetError: names file and reason.
        """
        tickers = self._clock.tickers
        if not tickers:
            found = "; ".join(["found no ticker", *notes])
            raise DatasetError(f"{self.name}: {found}, expected at least one")
        if self.repeated > REPEATED_SHARE * tickers:
            raise DatasetError(
                f"{self.name}: found {self.repeated} of {tickers} tickers repeated, the first in"
                f" line {self.first_repeated}, expected at most {REPEATED_SHARE:.0%}"
            )
        return self._clock.finish()
