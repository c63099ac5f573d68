"""Columns of a table on disk, and the refusals that name file, row and reason.

Rows are counted from 1, the header not among them.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.errors import DatasetError

UNREADABLE: Final = (OSError, ValueError, EOFError, BadZipFile, zlib.error)
"""What a missing, cut off or damaged file makes its readers raise."""

Numbers = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one file, all of one length; ``row`` numbers its rows as errors name them."""

    file: str
    values: Mapping[str, npt.NDArray[Any]]
    row: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.row)

    def numbers(self, name: str, *, known: bool = True) -> Numbers:
        """Return a column as numbers; NaN where unknown, which ``known`` refuses.

        Raises:
            DatasetError: a value is no number, is infinite, or is unknown and must be known.
        """
        found = pd.to_numeric(pd.Series(self.values[name]), errors="coerce")
        numbers: Numbers = found.to_numpy(dtype=np.float64, na_value=np.nan)
        strange = np.isnan(numbers) & ~np.asarray(pd.isna(self.values[name]))
        if known:
            self.refuse(np.isnan(numbers), name, "a finite number")
        self.refuse(strange | np.isinf(numbers), name, "a finite number")
        return numbers

    def times(self, name: str) -> Times:
        """Return a column of times as epoch microseconds.

        Raises:
            DatasetError: a value is no time.
        """
        times = pd.to_datetime(pd.Series(self.values[name]), utc=True, errors="coerce")
        self.refuse(np.asarray(times.isna()), name, "a time")
        found: Times = times.dt.tz_localize(None).to_numpy(dtype="datetime64[us]").astype(np.int64)
        return found

    def refuse(self, bad: npt.NDArray[np.bool_], name: str, expected: str) -> None:
        """Name the first row that is bad, if one is."""
        if bad.any():
            at = int(np.argmax(bad))
            raise DatasetError(
                f"{self.file}, row {self.row[at]}: found {self.values[name][at]!s} in {name},"
                f" expected {expected}"
            )

    def in_order(self, name: str, times: Times, *, strictly: bool = False) -> None:
        """Refuse rows that run backwards in time (or, ``strictly``, that repeat a time)."""
        step = np.diff(times)
        bad = np.concatenate([[False], step <= 0 if strictly else step < 0])
        self.refuse(bad, name, "a time after the row before" if strictly else "rows in time order")

    def take(self, at: npt.NDArray[np.bool_]) -> "Columns":
        """Return the rows at these positions."""
        taken = {name: values[at] for name, values in self.values.items()}
        return Columns(self.file, taken, self.row[at])


def both_classes(file: str, positive: npt.NDArray[np.bool_]) -> None:
    """Refuse labels of a single class.

    Raises:
        DatasetError: all labels, or none, are positive.
    """
    if len(np.unique(positive)) != 2:
        raise DatasetError(
            f"{file}, rows 1 to {len(positive)}: found {int(positive.sum())} positive labels,"
            " expected both classes"
        )


def read_columns(path: Path, required: Sequence[str], names: Sequence[str] = ()) -> Columns:
    """Read a table (Parquet, CSV, or CSV in gzip or zip).

    ``names`` are those of a CSV file that has no header.

    Raises:
        DatasetError: the file is missing, unreadable, empty, or lacks a required column.
    """
    frame = _frame(path, names)
    missing = [name for name in required if name not in frame.columns]
    if missing:
        raise DatasetError(f"{path.name}, header: found no {', '.join(missing)}, expected them")
    if not len(frame):
        raise DatasetError(f"{path.name}, row 1: found the end of the file, expected a row")
    values = {str(name): frame[name].to_numpy() for name in frame.columns}
    return Columns(path.name, values, np.arange(1, len(frame) + 1))


def _frame(path: Path, names: Sequence[str]) -> Any:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, names=list(names) or None)
    except pd.errors.EmptyDataError as exc:
        raise DatasetError(f"{path.name}, row 1: found an empty file, expected rows") from exc
    except UNREADABLE as exc:
        raise DatasetError(f"{path.name}: found {exc}, expected a readable table") from exc
