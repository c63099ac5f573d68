"""The Parquet of a dataset: FeatureRows and Labels, one row per product and second, its last.

All rows are in it, also those that nothing is learned from; ``fate`` says why. Null means
unknown, never 0. The columns:

| column | type | |
|---|---|---|
| ``capture`` | int32 | number of the capture, as in the metadata |
| ``group`` | int32 | number of the interval of time that captures share |
| ``feed``, ``product_id``, ``dialect`` | string | as in the FeatureRow |
| ``time_us`` | int64 | exchange time of the row's Tick or Beat (epoch microseconds) |
| ``trade_id`` | int64 | the Tick's, or 0 |
| ``mid`` | float64 | the Tick's (quote currency) |
| ``coverage`` | float64 | share of the last 300 s that have a slot, 0…1 |
| ``tau`` | float64 | the level in force (log return over 60 s) |
| ``tau_status`` | string | how it is founded |
| ``returns`` | int64 | returns in the last 60 s |
| ``after_break`` | bool | a Break stands between this row and the product's one before |
| ``beat`` | bool | the row is of a Beat, of a second without a trade |
| each of ``NAMES`` | float64 | the features, in their order |
| ``volatility`` | float64 | Label: that of the next 60 s (log return) |
| ``matured_us`` | int64 | Label: event time that completed the horizon |
| ``fate`` | string | ``usable``, ``warming``, ``break``, ``coverage`` or ``unfinished`` |

The row's id is ``feed:product_id:time_us:trade_id``. τ and spikes are not in it: they belong to
the promotion. Rows stand by capture, product and time. The file's metadata holds, under
``crypto_volatility.dataset``, JSON with the digest, the captures, the counts and what was left
out. Equal data give an equal file, byte by byte, with the same pyarrow.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from featurizer.features import NAMES
from featurizer.level.level import STATUSES
from featurizer.row import key_of
from ingestor.tick import Beat
from training.batch.ahead import NEVER
from training.batch.labelled import FATES, LabelledColumns
from training.data.rows import Table
from training.errors import DatasetError

METADATA: Final = b"crypto_volatility.dataset"
BATCH: Final = 16_384
"""Rows of a row group: a few MB are held of a dataset, whatever the length of the recording."""

_FLOATS: Final = ("mid", "coverage", "tau", *NAMES, "volatility")
_OF_EVENTS: Final = ("feed", "product_id", "dialect")
PART: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("feed", "product_id", "dialect", "tau_status")),
        *((name, pa.int64()) for name in ("time_us", "trade_id", "returns")),
        *((name, pa.bool_()) for name in ("after_break", "beat")),
        *((name, pa.float64()) for name in _FLOATS),
        ("matured_us", pa.int64()),
        ("fate", pa.string()),
    ]
)
"""What one shard gives; capture and group are known only once all are read."""
SCHEMA: Final = pa.schema([("capture", pa.int32()), ("group", pa.int32()), *PART])


def write_part(rows: LabelledColumns, path: Path, size: int = BATCH) -> None:
    """Write the rows of one shard, in row groups of ``size``."""
    table = _table(rows)
    with pq.ParquetWriter(path, PART) as writer:
        for at in range(0, len(rows), size):
            writer.write_table(table.slice(at, size))


def _table(rows: LabelledColumns) -> Any:
    floats = dict(zip(NAMES, rows.features.T, strict=True)) | {
        name: getattr(rows, name) for name in ("mid", "coverage", "tau", "volatility")
    }
    columns: dict[str, Any] = {
        **{name: [getattr(e, name) for e in rows.events] for name in _OF_EVENTS},
        **{name: pa.array(each, pa.float64(), from_pandas=True) for name, each in floats.items()},
        **{name: getattr(rows, name) for name in ("time_us", "returns", "after_break")},
        "tau_status": [STATUSES[number] for number in rows.tau_status.tolist()],
        "trade_id": [key_of(event)[1] for event in rows.events],
        "beat": [isinstance(event, Beat) for event in rows.events],
        "matured_us": pa.array(rows.matured_us, mask=rows.matured_us == NEVER),
        "fate": [FATES[number] for number in rows.fate.tolist()],
    }
    return pa.table({name: columns[name] for name in PART.names}, schema=PART)


def join_parts(parts: Iterable[tuple[Path, int, int]], metadata: bytes, path: Path) -> None:
    """Write the dataset from (part, number of capture, number of group), a row group at a time."""
    with pq.ParquetWriter(path, SCHEMA.with_metadata({METADATA: metadata})) as writer:
        for part, capture, group in parts:
            for rows in _groups(part):
                numbers = [pa.array(np.full(len(rows), n, np.int32)) for n in (capture, group)]
                writer.write_table(pa.table([*numbers, *rows.columns], schema=writer.schema))


def read_metadata(path: Path) -> bytes:
    """Return the metadata of a dataset.

    Raises:
        DatasetError: the file cannot be read, or is no dataset of ours.
    """
    try:
        found = (pq.read_schema(path).metadata or {}).get(METADATA)
    except (OSError, pa.ArrowInvalid) as exc:
        raise DatasetError(f"{path}: {exc}; expected a dataset's Parquet") from exc
    if found is None:
        raise DatasetError(f"{path}: found no {METADATA.decode()} in its metadata, expected it")
    return bytes(found)


def read_usable(path: Path) -> Table:
    """Return the rows that may be learned from, in order of time, then product."""
    usable = [rows.filter(pc.equal(rows["fate"], "usable")) for rows in _groups(path)]
    rows = pa.concat_tables(usable) if usable else pa.table([[]] * len(SCHEMA), schema=SCHEMA)
    features = [_known(rows, name) for name in NAMES]
    return Table(
        features=np.column_stack(features),
        product=np.array(rows["product_id"].to_pylist(), dtype=np.str_),
        time_us=rows["time_us"].to_numpy(),
        volatility=_floats(rows, "volatility"),
        capture=rows["capture"].to_numpy().astype(np.intp),
        group=rows["group"].to_numpy().astype(np.intp),
        mid=_floats(rows, "mid"),
        tau=_known(rows, "tau"),
    ).in_order()


def _groups(path: Path) -> Iterator[Any]:
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number)


def _known(rows: Any, name: str) -> Any:
    """Return a column; a dataset from before a feature or the level knows none of its values."""
    return _floats(rows, name) if name in rows.column_names else np.full(len(rows), np.nan)


def _floats(rows: Any, name: str) -> Any:
    return np.asarray(rows[name].to_numpy(), np.float64)
