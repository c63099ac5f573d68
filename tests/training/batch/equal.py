"""Columns beside the rows of the live engine, value by value."""

from collections.abc import Iterable, Sequence
from math import isnan
from typing import Any

from featurizer.engine import Snapshot
from featurizer.level.level import STATUSES
from featurizer.row import key_of
from ingestor.tick import Beat, Event
from tests.training.labeller import LabelledRow
from training.batch.ahead import NEVER
from training.batch.keys import fetch_of, keys_of
from training.batch.labelled import FATES, LabelledColumns, labelled

Values = tuple[Any, ...]


def by_columns(events: Sequence[Event], state: Snapshot | None = None) -> LabelledColumns:
    """The labelled rows of one product's events."""
    return labelled(keys_of(events), fetch_of(events), state=state)


def of_columns(rows: LabelledColumns) -> list[Values]:
    """All that a row and its label hold, None for unknown."""
    columns = (rows.mid, rows.coverage, rows.tau, rows.volatility, *rows.features.T)
    floats = zip(*(column.tolist() for column in columns), strict=True)
    return [
        (
            key_of(event),
            isinstance(event, Beat),
            event.dialect,
            STATUSES[rows.tau_status[k]],
            int(rows.returns[k]),
            bool(rows.after_break[k]),
            FATES[rows.fate[k]],
            None if rows.matured_us[k] == NEVER else int(rows.matured_us[k]),
            *(None if isnan(value) else value for value in values),
        )
        for k, (event, values) in enumerate(zip(rows.events, floats, strict=True))
    ]


def of_rows(rows: Iterable[LabelledRow]) -> list[Values]:
    """The same of rows that were made one by one."""
    return [
        (
            (row.time_us, row.trade_id),
            row.beat,
            row.dialect,
            row.tau_status,
            row.returns,
            row.after_break,
            made.fate,
            label and label.matured_us,
            *(row.mid, row.coverage, row.tau, label and label.volatility),
            *row.features.values(),
        )
        for made in rows
        for row, label in [(made.row, made.label)]
    ]
