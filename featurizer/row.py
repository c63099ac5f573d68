"""FeatureRow: what the topic ``features`` holds, and its JSON."""

from typing import Any, Final

import msgspec

from featurizer.features import NAMES, REQUIRED
from featurizer.level.level import Status
from featurizer.slots import MICROSECONDS
from ingestor.plausibility import check_number, check_price, check_product, check_time
from ingestor.tick import Beat, Dialect, Tick
from plumbing.messages import read_message

SCHEMA_VERSION: Final = 2


class FeatureRow(msgspec.Struct, frozen=True, kw_only=True):
    """The features at one Tick or Beat, made of content alone: a replay gives equal bytes.

    ``features`` maps each name of ``FEATURES``, in that order, to its value or null
    (unknown, never 0). ``mid`` is the event's, in quote currency, ``trade_id`` 0 where it has none.
    ``coverage`` is the share of the last 300 seconds that have a slot, ``returns`` the number of
    returns in the last 60. ``tau`` is the product's level then (log return over 60 s), null where
    it has none, and ``tau_status`` how it is founded. ``after_break`` says that a Break stands
    between this row and the one before, ``beat`` that nothing was traded in its second.
    Rows of version 1 have neither level nor returns: these are null.
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
    tau: float | None = None
    tau_status: Status | None = None
    returns: int | None = None
    after_break: bool = False
    beat: bool = False
    appended: dict[str, float | None] = {}
    schema_version: int = SCHEMA_VERSION

    @property
    def second(self) -> int:
        """Epoch second of the Tick or Beat."""
        return self.time_us // MICROSECONDS


Key = tuple[int, int]
"""What names a row within its feed and product."""


def key_of(event: Tick | Beat) -> Key:
    """Return ``time_us`` and ``trade_id``, 0 where an event has none, of the row it gives."""
    return event.time_us, (event.trade_id or 0) if isinstance(event, Tick) else 0


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(FeatureRow)
_REQUIRED: Final = frozenset(REQUIRED)
_NAMES: Final = [*NAMES]
_SPLIT: Final = len(REQUIRED)
# As structs they are made and written in a third of the time that mappings take.
_First: Any = msgspec.defstruct("_First", [(name, float | None) for name in NAMES[:_SPLIT]])
_Later: Any = msgspec.defstruct("_Later", [(name, float | None) for name in NAMES[_SPLIT:]])


def encode(row: FeatureRow) -> bytes:
    """Return the JSON of a row, as it stands in ``features``.

    There the features of the first release stand by themselves and later ones in ``appended``:
    a reader of that release refuses a name it does not know, and passes over a field.
    """
    features = row.features
    if [*features] == _NAMES:
        values = [*features.values()]
        first, later = _First(*values[:_SPLIT]), _Later(*values[_SPLIT:])
    else:
        first = {name: value for name, value in features.items() if name in _REQUIRED}
        later = {name: value for name, value in features.items() if name not in _REQUIRED}
    return _encoder.encode(msgspec.structs.replace(row, features=first, appended=later))


def decode(data: bytes) -> FeatureRow:
    """Read a row of ``features``; raises ``msgspec.DecodeError`` naming the bad field.

    What its writer did not know yet is null; what is not known here, as the writer is newer, is
    left out. A row without one of ``REQUIRED`` stays as it came, to be refused by its reader.
    """
    row = read_message(_decoder, data, SCHEMA_VERSION, _check)
    found = {**row.features, **row.appended}
    if found.keys() >= _REQUIRED:
        found = {name: found.get(name) for name in NAMES}
    return msgspec.structs.replace(row, features=found, appended={})


def _check(row: FeatureRow) -> None:
    check_product(row.product_id)
    check_time("time_us", row.time_us)
    check_number("trade_id", row.trade_id)
    check_price("mid", row.mid)
    check_number("returns", row.returns)
    if row.tau is not None and not row.tau > 0:
        raise ValueError(f"found tau {row.tau}, expected a level above 0")
