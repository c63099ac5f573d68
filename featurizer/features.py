"""The features, each defined once, and the engine that makes them from Ticks, Beats and Breaks.

Names, tensor order, training columns, drift columns, the examples and ``docs/features.md`` follow
from ``FEATURES``; ``docs/adding-a-feature.md`` says how to add one. Time comes from the Tick,
never from the wall; a window is seconds, never rows.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import fsum, log
from typing import Final

import msgspec

from featurizer import statistic as stat
from featurizer.level.levels import Levels
from featurizer.level.records import Closed
from featurizer.slots import MICROSECONDS, Slot, Taken, Timeline
from featurizer.statistic import Return, Statistic
from ingestor.plausibility import check_number, check_price, check_product, check_time
from ingestor.tick import Dialect, Event, Tick
from plumbing.messages import read_message

SCHEMA_VERSION: Final = 1
COVERAGE_WINDOW: Final = 300
READ_BACK_US: Final = 302 * MICROSECONDS
"""Event time to read back from the last slot, so that the state is exactly what it was."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A statistic over a window of ``window`` seconds.

    ``example`` is its value in a moment of BTC-USD with volatility rising, in its unit.
    ``digest`` identifies what it computes: it is that of its values on a small generated market,
    rounded to 12 significant digits. A test holds it, and says the new one where it differs.
    """

    statistic: Statistic | Return
    window: int
    example: float
    digest: str

    @property
    def name(self) -> str:
        """The name everywhere: column, tensor position, JSON key."""
        return f"{self.statistic.name}_{self.window}s"


FEATURES: Final = (
    Feature(stat.REALIZED_VOLATILITY, 60, 0.00071, "745f915e703631ea"),
    Feature(stat.LOG_RETURN, 60, -0.000729, "30b8da23897e43bb"),
    Feature(stat.SPREAD_MEAN, 60, 0.00000133, "f7b6e976cd9fa76e"),
    Feature(stat.TRADE_INTENSITY, 60, 5.37, "684221b35bfe50b8"),
    Feature(stat.REALIZED_VOLATILITY, 300, 0.001543, "72b6c9e7da370c45"),
    Feature(stat.LOG_RETURN, 300, -0.001073, "bae53deeb762612a"),
    Feature(stat.SPREAD_MEAN, 300, 0.00000186, "fad5b7798246890a"),
    Feature(stat.TRADE_INTENSITY, 300, 5.43, "5a3c9d60d7ff4695"),
    Feature(stat.ORDER_BOOK_IMBALANCE, 30, -0.366, "fe3ae528c92e8a00"),
    Feature(stat.ORDER_BOOK_IMBALANCE, 60, -0.458, "6c6937c8120b9536"),
    Feature(stat.ORDER_BOOK_IMBALANCE, 300, -0.363, "05f1fdf2fd2320de"),
    Feature(stat.PRICE_VELOCITY, 300, 0.000051, "80ba69625e7ff462"),
)
"""A new one is appended, never put between: positions in tensors and kept models stay."""
NAMES: Final = tuple(feature.name for feature in FEATURES)
REQUIRED: Final = NAMES[:12]
"""Those of the first release: every row and request names them. What came later may be absent."""
EXAMPLE: Final = {feature.name: feature.example for feature in FEATURES}
"""A row for the documentation and to probe a model with."""

_OLDER: Final = {
    "53c936bf0205029b2d83d8020c9cdc10986a9c9509c272c3e6835e5af1cb8147": (
        "bb2edd86598d9246815804f6552eedaf4d9172bb865c3cf83e8959ab6e75e585"
    ),
}
"""Digests of before, made otherwise, and that of the same definitions today."""


def digest_of(features: Sequence[Feature]) -> str:
    """Return the digest of these definitions: of the names and of what they compute."""
    lines = [f"{feature.name}: {feature.digest}" for feature in features]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


FEATURES_DIGEST: Final = digest_of(FEATURES)
"""Identifies the definitions: rows and models with different ones must not meet."""
_PREFIXES: Final = {
    digest_of(FEATURES[:n]): NAMES[:n] for n in range(len(REQUIRED), len(FEATURES) + 1)
}


def names_of(digest: str) -> tuple[str, ...] | None:
    """Return the features whose definitions have this digest, None where it is of other ones.

    They are the first of ``NAMES``, all of them or as many as there were when it was written.
    """
    return _PREFIXES.get(_OLDER.get(digest, digest))


def widened(values: Sequence[float | None]) -> list[float | None]:
    """Return a row of the first of ``NAMES`` as one of all: what came later is unknown."""
    return [*values, *[None] * (len(NAMES) - len(values))]


class FeatureRow(msgspec.Struct, frozen=True, kw_only=True):
    """The features at one accepted Tick, made of content alone: a replay gives equal bytes.

    ``features`` maps each name of ``FEATURES``, in that order, to its value or null
    (unknown, never 0). ``mid`` is the Tick's, in quote currency.
    ``coverage`` is the share of the last 300 seconds that have a slot.
    """

    row_id: str
    feed: str
    product_id: str
    time_us: int
    trade_id: int
    dialect: Dialect
    mid: float
    features: dict[str, float | None]
    coverage: float
    schema_version: int = SCHEMA_VERSION

    @property
    def second(self) -> int:
        """Epoch second of the Tick."""
        return self.time_us // MICROSECONDS


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(FeatureRow)
_REQUIRED: Final = frozenset(REQUIRED)


def encode(row: FeatureRow) -> bytes:
    """Return the JSON of a row, as it stands in ``features``."""
    return _encoder.encode(row)


def decode(data: bytes) -> FeatureRow:
    """Read a row of ``features``; raises ``msgspec.DecodeError`` naming the bad field.

    What its writer did not know yet is null; what is not known here, as the writer is newer, is
    left out. A row without one of ``REQUIRED`` stays as it came, to be refused by its reader.
    """
    row = read_message(_decoder, data, SCHEMA_VERSION, _check)
    if tuple(row.features) == NAMES or not row.features.keys() >= _REQUIRED:
        return row
    return msgspec.structs.replace(row, features={n: row.features.get(n) for n in NAMES})


def _check(row: FeatureRow) -> None:
    check_product(row.product_id)
    check_time("time_us", row.time_us)
    check_number("trade_id", row.trade_id)
    check_price("mid", row.mid)


SUMMED: Final = tuple(
    dict.fromkeys(f.statistic for f in FEATURES if isinstance(f.statistic, Statistic))
)
LONGEST: Final = max(feature.window for feature in FEATURES)


@dataclass(slots=True)
class _Product:
    """One product's timeline, with the sums over its closed slots made once a second.

    ``columns`` hold each statistic's terms of the seconds s - 300 … s - 1, None where there
    is none. ``closed`` are the sums (total, n) by feature, made of them by ``math.fsum``:
    correctly rounded, so that neither order nor history can show.
    """

    timeline: Timeline
    second: int = -1
    columns: dict[Statistic, list[float | None]] = field(
        default_factory=lambda: {statistic: [None] * LONGEST for statistic in SUMMED}
    )
    closed: list[tuple[float, int]] = field(default_factory=list)
    coverage: float = 0.0

    def row(self, tick: Tick) -> FeatureRow:
        """Return the row of the Tick that was accepted last."""
        now = self.timeline.slots.current
        assert now is not None
        if now.second != self.second:
            self._close(now.second)
        return FeatureRow(
            row_id=f"{tick.feed}:{tick.product_id}:{tick.time_us}:{tick.trade_id or 0}",
            feed=tick.feed,
            product_id=tick.product_id,
            time_us=tick.time_us,
            trade_id=tick.trade_id or 0,
            dialect=tick.dialect,
            mid=now.mid,
            features=self._features(now),
            coverage=self.coverage,
        )

    def _features(self, now: Slot) -> dict[str, float | None]:
        """Add the current slot's term, last and once, to each closed sum."""
        terms = {statistic: statistic.term(now) for statistic in SUMMED}
        found: dict[str, float | None] = {}
        for name, feature, (total, n) in zip(NAMES, FEATURES, self.closed, strict=True):
            statistic, window = feature.statistic, feature.window
            if isinstance(statistic, Return):
                found[name] = self._return(now, window)
                continue
            if statistic.with_now and (term := terms[statistic]) is not None:
                total, n = total + term, n + 1
            found[name] = statistic.value(total, n, window) if 2 * n >= window else None
        return found

    def _return(self, now: Slot, window: int) -> float | None:
        then = self.timeline.slots.at(now.second - window)
        return None if then is None else log(now.mid / then.mid)

    def _close(self, second: int) -> None:
        """Move the columns on to the seconds before ``second`` and sum them."""
        slots, first = self.timeline.slots, max(self.second, second - LONGEST)
        passed = [slots.at(k) for k in range(first, second)]
        for statistic, column in self.columns.items():
            term = statistic.term
            column += [None if slot is None else term(slot) for slot in passed]
            del column[:-LONGEST]
        self.closed = [self._sum(feature) for feature in FEATURES]
        self.coverage = len(slots.between(second - COVERAGE_WINDOW + 1, second)) / COVERAGE_WINDOW
        self.second = second

    def _sum(self, feature: Feature) -> tuple[float, int]:
        statistic = feature.statistic
        if isinstance(statistic, Return):
            return 0.0, 0
        reach = feature.window - 1 if statistic.with_now else feature.window
        terms = [term for term in self.columns[statistic][-reach:] if term is not None]
        return fsum(terms), len(terms)


class FeatureEngine:
    """Turns events of any number of products into rows; live, replay and training use this one.

    ``levels`` go along with it; ``closed`` is told what of them closes, before the row.

    >>> engine = FeatureEngine()
    >>> tick = Tick(feed="f", product_id="BTC-USD", dialect="advanced", time_us=1_000_000,
    ...             received_us=0, price=10.0, bid=9.0, ask=11.0)
    >>> engine.update(tick).features["spread_mean_60s"] is None   # 1 of 60 seconds is known
    True
    """

    __slots__ = ("_closed", "_products", "counts", "levels")

    def __init__(
        self, levels: Levels | None = None, closed: Callable[[Closed], object] = bool
    ) -> None:
        self._products: dict[str, _Product] = {}
        self._closed, self.levels = closed, levels or Levels()
        self.counts: Counter[Taken] = Counter()

    def update(self, event: Event) -> FeatureRow | None:
        """Take one event in its order; an accepted Tick gives a row, all else None.

        An event of another feed than the product's state first clears that state.
        A Tick whose (``time_us``, ``trade_id`` or 0) is not greater than the last accepted
        key is counted as late or repeated and changes nothing.
        """
        return self.take(event)[1]

    def take(self, event: Event) -> tuple[Taken, FeatureRow | None]:
        """Update, and say as well what became of the event."""
        state, taken, closed = self._put(event)
        self.counts[taken] += 1
        for record in closed:
            self._closed(record)
        if taken is Taken.ACCEPTED and isinstance(event, Tick):
            return taken, state.row(event)
        return taken, None

    def restore(self, event: Event) -> None:
        """Take one event of the past: the same state as after ``update``; nothing is told."""
        self._put(event)

    def feed_of(self, product_id: str) -> str | None:
        """Return the feed that the product's state comes from, None if there is no state."""
        state = self._products.get(product_id)
        return None if state is None else state.timeline.feed

    def _put(self, event: Event) -> tuple[_Product, Taken, Sequence[Closed]]:
        product_id = event.product_id
        state = self._products.get(product_id)
        if state is None or state.timeline.feed != event.feed:
            state = self._products[product_id] = _Product(Timeline(event.feed))
            self.levels.begin(event)
        slots = state.timeline.slots
        before = slots.current
        taken = state.timeline.take(event)
        if (now := slots.current) is before or now is None:
            return state, taken, ()
        return state, taken, self.levels.step(product_id, before, now.second)

    def forget(self, product_id: str) -> None:
        """Drop a product's state, as when its partition moves to another process."""
        self._products.pop(product_id, None)
        self.levels.forget(product_id)
