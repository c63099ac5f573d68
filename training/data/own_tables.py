"""A desk's own history as Parquet or CSV, by a map of its columns that lies beside it.

``history.parquet`` is read where ``history.parquet.columns.json`` says which column is what::

    {"timestamp": "ts_event", "product_id": {"value": "BTC-USD"}, "price": "last",
     "best_bid": "bid", "best_ask": "ask", "best_bid_quantity": "bid_size",
     "best_ask_quantity": "ask_size", "clock": "exchange"}

Each row becomes a flattened ticker, and goes the way of every recording. ``clock`` says whose
the times are: ``exchange``, or else they are judged as those of a recording.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from training.errors import DatasetError

SUFFIX: Final = ".columns.json"
NEEDED: Final = ("timestamp", "product_id", "price", "best_bid", "best_ask")
SIZES: Final = ("best_bid_quantity", "best_ask_quantity")
BATCH: Final = 16_384


class _Constant(msgspec.Struct, forbid_unknown_fields=True):
    value: str


class ColumnMap(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where each field of a ticker stands: the name of a column, or a value that all rows have."""

    timestamp: str
    product_id: str | _Constant
    price: str
    best_bid: str
    best_ask: str
    best_bid_quantity: str | None = None
    best_ask_quantity: str | None = None
    clock: Literal["exchange", "unknown"] = "unknown"

    def columns(self) -> dict[str, str]:
        """Return the names of columns by field."""
        fields = {name: getattr(self, name) for name in (*NEEDED, *SIZES)}
        return {name: column for name, column in fields.items() if isinstance(column, str)}


def map_beside(path: Path) -> Path:
    """Return where the map of a table lies."""
    return path.with_name(path.name + SUFFIX)


@dataclass(frozen=True, slots=True)
class OwnTable:
    """A table with its map, as lines of a recording."""

    path: Path
    columns: ColumnMap

    @classmethod
    def of(cls, path: Path) -> "OwnTable":
        """Read the map beside a table.

        Raises:
            DatasetError: it is no such map.
        """
        beside = map_beside(path)
        try:
            return cls(path, msgspec.json.decode(beside.read_bytes(), type=ColumnMap))
        except msgspec.DecodeError as exc:
            raise DatasetError(
                f"{beside.name}: {exc}, expected a column for each of {', '.join(NEEDED)}"
            ) from exc

    def lines(self) -> Iterator[bytes]:
        """Give one flattened ticker a row.

        Raises:
            DatasetError: a column is missing, or it is no such table.
        """
        import pyarrow as pa

        columns, product = self.columns.columns(), self.columns.product_id
        fixed = {"product_id": product.value} if isinstance(product, _Constant) else {}
        try:
            for batch in _batches(self.path):
                missing = [name for name in columns.values() if name not in batch.schema.names]
                if missing:
                    raise DatasetError(
                        f"{self.path.name}: found columns {', '.join(batch.schema.names)}, expected"
                        f" {', '.join(missing)} as {map_beside(self.path).name} says"
                    )
                named = {field: _values(batch.column(name)) for field, name in columns.items()}
                for row in zip(*named.values(), strict=True):
                    yield msgspec.json.encode(dict(zip(named, row, strict=True)) | fixed)
        except pa.ArrowException as exc:
            raise DatasetError(f"{self.path.name}: {exc}, expected a Parquet or CSV") from exc


def _batches(path: Path) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    if path.name.endswith(".parquet"):
        yield from pq.ParquetFile(path).iter_batches(BATCH)
        return
    with pa.input_stream(path, compression="detect") as stream, pc.open_csv(stream) as reader:
        yield from reader


def _values(column: Any) -> list[Any]:
    """Return the values as JSON has them; a time keeps all its digits."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        return list(column.cast(pa.timestamp(column.type.unit)).cast(pa.string()).to_pylist())
    return list(column.to_pylist())
