"""External tables: what the rv60 rule and a regression do on tables that are no captures.

Each table has a reader of its own (``readers``) and one path of columns (``seconds``), apart from
FEATURES. Nothing here is ever part of a dataset, of τ or of a model that is served.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from featurizer.slots import MICROSECONDS
from ingestor.instant import text_of
from training.data.splits import EMBARGO
from training.errors import DatasetError
from training.evaluation.measures import ScoredRows, figures
from training.external.readers import EXTERNAL_TABLES, ExternalTable
from training.external.seconds import SecondSeries, largest, series_rows
from training.external.walk_forward import ExternalRows, folds_between, part_lines, walk_forward

WALK_ROWS: Final = 1800
"""Inside one table only where 30 minutes or more are usable."""
PARTS: Final = 4
"""The first half is learned from; the third and fourth quarter are tested."""
BLOCK_US: Final = 300 * MICROSECONDS
"""A label and a look-back reach over 360 s: shorter blocks would not be apart."""
PROTOCOL: Final = (
    "first half learned from, third and fourth quarter tested by all before; purged by 60 s,"
    " embargoed by 300 s; intervals of 95 % over blocks of 5 min"
)


def evaluate_tables(folder: Path, tau: Mapping[str, float] | None = None) -> dict[str, Any]:
    """Evaluate every such table of a folder.

    ``tau`` (log return over 60 s, by product) is the promotion's: used to say how often these
    tables reach it, never changed by them.

    Raises:
        DatasetError: names file, row and reason if a table cannot be used, or none is there.
    """
    tables = [
        _table(external_table, product, paths, series, tau or {})
        for external_table in EXTERNAL_TABLES
        for paths, by_product in _read(external_table, folder)
        for product, series in by_product.items()
    ]
    if not tables:
        raise DatasetError(f"{folder}: found no external table, expected at least one")
    return {"purpose": "evaluation only, never part of τ", "protocol": PROTOCOL, "tables": tables}


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DatasetError(f"{folder}: found no folder, expected one with external tables")
    return list(folder.iterdir())


def _read(
    external_table: ExternalTable, folder: Path
) -> list[tuple[list[Path], dict[str, SecondSeries]]]:
    """Read a folder's tables of one kind: of several files in one go, or file by file."""
    paths = sorted(path for path in _files(folder) if external_table.pattern.fullmatch(path.name))
    if external_table.joined and paths:
        return [(paths, external_table.read(paths))]
    return [([path], external_table.read([path])) for path in paths]


def _table(
    external_table: ExternalTable,
    product: str,
    paths: list[Path],
    series: SecondSeries,
    tau: Mapping[str, float],
) -> dict[str, Any]:
    rows, counts = series_rows(series)
    return {
        "kind": external_table.kind,
        "files": [path.name for path in paths],
        "product": product,
        "note": external_table.note,
        "first": text_of(int(series.second[0]) * MICROSECONDS),
        "last": text_of(int(series.second[-1]) * MICROSECONDS),
        "counts": counts,
        "volatility_max": largest(rows.ahead),
        "at_promoted_tau": _at(rows, tau.get(product)),
        "walk_forward": _walk(rows),
    }


def _at(rows: ExternalRows, tau: float | None) -> dict[str, Any] | None:
    """Return prevalence and the rv60 rule at a τ; None where there is no τ or no row."""
    if tau is None or not len(rows):
        return None
    scored = ScoredRows(rows.now / tau, rows.now >= tau)
    return {"tau": tau, "rule": figures(rows.ahead >= tau, scored, probabilities=False)}


def _walk(rows: ExternalRows) -> dict[str, Any]:
    if len(rows) < WALK_ROWS:
        note = f"{len(rows)} usable seconds, walking forward takes {WALK_ROWS}"
        return {"parts": [], "pooled": None, "left_out": [], "note": note}
    quarters = np.array_split(rows.time_us, PARTS)
    starts = [(f"quarter {n + 1}", int(quarters[n][0])) for n in range(PARTS // 2, PARTS)]
    return walk_forward(rows, folds_between(rows, starts, EMBARGO * MICROSECONDS), BLOCK_US)


def table_lines(found: Mapping[str, Any]) -> list[str]:
    """Return lines for a reader, table by table."""
    lines = [f"external tables: {found['purpose']}", f"protocol: {found['protocol']}"]
    for table in found["tables"]:
        counts = ", ".join(f"{n} {what}" for what, n in table["counts"].items())
        lines.append(f"{table['files'][0]} {table['product']}: {counts} ({table['note']})")
        at = table["at_promoted_tau"]
        if at is not None:
            rule = at["rule"]
            lines.append(
                f"  at τ {at['tau'] * 1e4:.2f} bps: prevalence {rule['prevalence']:.4f}; the rv60"
                f" rule's alarms hit {_of(rule['precision'])}, find {_of(rule['recall'])}"
            )
        walk = table["walk_forward"]
        lines += [f"  {walk['note']}"] if "note" in walk else part_lines(walk)
    return lines


def _of(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.2f}"
