"""Readers of the tables that are no captures: each returns its products' seconds.

These tables serve evaluation only. None of them may be a source of ticks, τ or a model: they
hold another's features, one state a second, bars without quotes, or books without a ticker.
"""

import ast
import csv
import gzip
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ingestor.instant import instant
from training.errors import DatasetError
from training.external.columns import UNREADABLE, Columns, Numbers, read_columns
from training.external.order_book import BestQuote, BookChange, best_quotes
from training.external.seconds import SecondSeries, series_of

ALIVE: Final = 10
"""Seconds of silence over which a quote still stands, as in a recording without heartbeats."""
DAY: Final = 86_400
BAR_NAMES: Final = ("milliseconds", "open", "high", "low", "close", "volume")

SeriesByProduct = dict[str, SecondSeries]


@dataclass(frozen=True, slots=True)
class ExternalTable:
    """A kind of table: which files make one, how they are read, and what is said of it.

    ``joined``: all files of a folder that match are one table.
    """

    kind: str
    pattern: re.Pattern[str]
    read: Callable[[Sequence[Path]], SeriesByProduct]
    note: str
    joined: bool = False


def read_derived(paths: Sequence[Path]) -> SeriesByProduct:
    """Read another project's tick features: mid, spread, and an imbalance that is mapped 2x−1."""
    (path,) = paths
    columns = read_columns(
        path, ("timestamp", "product_id", "midprice", "bid_ask_spread", "order_book_imbalance")
    )
    return {name: _derived(part) for name, part in _by_product(columns)}


def _derived(columns: Columns) -> SecondSeries:
    time_us, mid = columns.times("timestamp"), columns.numbers("midprice")
    columns.in_order("timestamp", time_us)
    columns.refuse(mid <= 0, "midprice", "a price above 0")
    share = columns.numbers("order_book_imbalance", known=False)
    columns.refuse((share < 0) | (share > 1), "order_book_imbalance", "bid/(bid+ask) in 0…1")
    spread = columns.numbers("bid_ask_spread", known=False) / mid
    return series_of(time_us, mid, bridge=ALIVE, spread=spread, imbalance=signed_imbalance(share))


def signed_imbalance(share: Numbers) -> Numbers:
    """Map bid/(bid+ask) in 0…1 to our (bid−ask)/(bid+ask) in −1…1.

    >>> signed_imbalance(np.array([0.0, 0.5, 1.0])).tolist()
    [-1.0, 0.0, 1.0]
    """
    return 2.0 * share - 1.0


def read_peer(paths: Sequence[Path]) -> SeriesByProduct:
    """Read another project's one-second rows: mid, spread, ticks of the last 5 s."""
    (path,) = paths
    columns = read_columns(
        path, ("window_end_ts", "product_id", "midprice", "spread_bps", "tick_count_5s")
    )
    return {name: _peer(part) for name, part in _by_product(columns)}


def _peer(columns: Columns) -> SecondSeries:
    time_us, mid = columns.times("window_end_ts"), columns.numbers("midprice")
    columns.in_order("window_end_ts", time_us, strictly=True)
    columns.refuse(mid <= 0, "midprice", "a price above 0")
    return series_of(
        time_us,
        mid,
        bridge=ALIVE,
        spread=columns.numbers("spread_bps", known=False) / 1e4,
        ticks=columns.numbers("tick_count_5s", known=False) / 5,
    )


def _by_product(columns: Columns) -> Iterator[tuple[str, Columns]]:
    product = columns.values["product_id"]
    for name in sorted({str(value) for value in product}):
        yield name, columns.take(np.asarray(product == name))


def read_bars(paths: Sequence[Path]) -> SeriesByProduct:
    """Read days of one-second trade bars: a second without a bar had no trade, its price stands."""
    times, closes = [], []
    for path in sorted(paths):
        columns = read_columns(path, (), BAR_NAMES)
        offset = columns.numbers("milliseconds").astype(np.int64)
        columns.in_order("milliseconds", offset, strictly=True)
        close = columns.numbers("close")
        columns.refuse(close <= 0, "close", "a price above 0")
        times.append(_day_us(path) + offset * 1000)
        closes.append(close)
    time_us = np.concatenate(times)
    return {"BTC-USD": series_of(time_us, np.concatenate(closes), bridge=DAY)}


def _day_us(path: Path) -> int:
    found = re.search(r"_(\d{4})(\d\d)(\d\d)_", path.name)
    if found is None:
        raise DatasetError(f"{path.name}: found no day in the name, expected one like _20161007_")
    return instant("-".join(found.groups()) + "T00:00:00Z")[0]


def read_changes(paths: Sequence[Path]) -> SeriesByProduct:
    """Read a book snapshot (two files, asks and bids) and the level changes that follow it."""
    sides = {side: [p for p in paths if side in p.name] for side in ("asks", "bids")}
    updates = sorted(p for p in paths if "l2update" in p.name)
    if not all(sides.values()) or not updates:
        raise DatasetError(
            f"{paths[0].name}: found {', '.join(p.name for p in paths)}, expected snapshots of"
            " asks and bids and their updates"
        )
    bids, asks = (list(_levels(sides[side][0])) for side in ("bids", "asks"))
    changes = (change for path in updates for change in _changes(path))
    return _of_quotes(paths[0].name, best_quotes(bids, asks, changes))


def _levels(path: Path) -> Iterator[tuple[float, float]]:
    columns = read_columns(path, ("price", "size"))
    yield from zip(columns.numbers("price").tolist(), columns.numbers("size").tolist(), strict=True)


def _changes(path: Path) -> Iterator[BookChange]:
    columns = read_columns(path, ("side", "price", "size", "time"))
    time_us = columns.times("time")
    columns.in_order("time", time_us)
    columns.refuse(~np.isin(columns.values["side"], ("buy", "sell")), "side", "buy or sell")
    rows = zip(
        time_us.tolist(),
        columns.values["side"].tolist(),
        columns.numbers("price").tolist(),
        columns.numbers("size").tolist(),
        strict=True,
    )
    yield from (BookChange(*row) for row in rows)


def read_mixed(paths: Sequence[Path]) -> SeriesByProduct:
    """Read frames of a book and its trades in one CSV: one snapshot, then level changes."""
    (path,) = paths
    bids: list[tuple[float, float]] = []
    asks: list[tuple[float, float]] = []
    changes: list[BookChange] = []
    for row, frame in enumerate(_frames(path), start=1):
        try:
            if frame["type"] == "snapshot":
                bids, asks = _pairs(frame["bids"]), _pairs(frame["asks"])
            elif frame["type"] == "l2update":
                changes += _of_frame(frame)
        except (KeyError, ValueError, SyntaxError) as exc:
            raise DatasetError(
                f"{path.name}, row {row}: found {exc!r}, expected a book frame"
            ) from exc
    return _of_quotes(path.name, best_quotes(bids, asks, changes))


def _frames(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(1 << 24)  # a snapshot is one field of megabytes
    try:
        with gzip.open(path, "rt", newline="") as lines:
            yield from csv.DictReader(lines)
    except (*UNREADABLE, csv.Error) as exc:
        raise DatasetError(f"{path.name}: found {exc}, expected CSV in gzip") from exc


def _pairs(text: str) -> list[tuple[float, float]]:
    return [(float(price), float(size)) for price, size in ast.literal_eval(text)]


def _of_frame(frame: dict[str, str]) -> list[BookChange]:
    time_us, _ = instant(frame["time"])
    return [
        BookChange(time_us, side, float(price), float(size))
        for side, price, size in ast.literal_eval(frame["changes"])
    ]


def _of_quotes(file: str, quotes: Iterator[BestQuote]) -> SeriesByProduct:
    found = np.array([(q.time_us, q.bid, q.bid_size, q.ask, q.ask_size) for q in quotes])
    if not len(found):
        raise DatasetError(f"{file}: found no two-sided book, expected a snapshot and changes")
    bid, bid_size, ask, ask_size = found[:, 1:].T
    mid = (bid + ask) / 2
    return {
        "BTC-USD": series_of(
            found[:, 0].astype(np.int64),
            mid,
            bridge=ALIVE,
            spread=(ask - bid) / mid,
            imbalance=(bid_size - ask_size) / (bid_size + ask_size),
        )
    }


EXTERNAL_TABLES: Final = (
    ExternalTable(
        "derived_ticks",
        re.compile(r"adv_derived_.*\.parquet"),
        read_derived,
        "another project's tick features (it begins with what is also a capture); imbalance mapped"
        " 2x−1, its labels not used",
    ),
    ExternalTable(
        "derived_seconds",
        re.compile(r"peer_1s_.*\.parquet"),
        read_peer,
        "another project's one-second rows; its labels not used",
    ),
    ExternalTable(
        "second_bars",
        re.compile(r"gdax_.*_second_trade\.zip"),
        read_bars,
        "trade bars of 2016: last trades, no quotes; returns carry the bounce of the spread",
        joined=True,
    ),
    ExternalTable(
        "level_changes",
        re.compile(r"exch_l2(update|snapshot)_.*\.csv\.gz"),
        read_changes,
        "a book of 2018 rebuilt from level changes",
        joined=True,
    ),
    ExternalTable(
        "mixed_frames",
        re.compile(r"exch_mixed_frames_.*\.csv\.gz"),
        read_mixed,
        "a book of 2018 rebuilt from frames",
    ),
)
