"""Drift of a model in units of τ: what it sees in a day, beside what it sees in ordinary ones.

The columns are the model's own inputs, made by its own transform; a distance is in their unit, the
natural logarithm of a ratio, so that a level that is wrong by a factor of three is 1.1 where
nothing is cut. That a column is known and moves is asked of the last hour, so that what breaks is
seen within it.
"""

from collections import Counter
from collections.abc import Sequence
from math import log
from typing import Final

from drift.comparison import LEAST_ROWS, WINDOW_SECONDS, ColumnDrift, Comparison, Report, State
from drift.day import DAY_SECONDS, Day, Inputs
from drift.month import Month
from serving.relative import LEAST_INPUT, WINDOWS

NAMES: Final = tuple(f"volatility_{window}s_by_level" for window in WINDOWS)
"""By window; of a model with fewer the first ones."""
LEAST_MINUTES: Final = 720
"""Of the 1,440 of a day; ordinary half days are twice as far apart as days are."""
THRESHOLD: Final = 0.65
"""Of a distance; chosen on the month and on generated markets, held to other venues' days."""
CUT: Final = -1.5
"""From here down rv60 alone gives the least score there is: how calm a calm hour is says nothing
of a model, and is what days differ in most."""
LEAST_KNOWN: Final = 0.5
"""A column known in fewer rows of the last hour than this share has gone."""
MOST_EQUAL: Final = 0.5
"""A column with one and the same value in so many of the last hour's moving rows stands still."""
LEAST_MOVING: Final = 20
_STILL: Final = log(LEAST_INPUT)


def compare_inputs(
    product: str, day: Day, windows: int, month: Month, report: Report
) -> Comparison:
    """Compare a product's day with the month, by the first so many windows."""
    rows, recent = day.founded(), day.founded(WINDOW_SECONDS)
    if len(rows) < LEAST_MINUTES or len(recent) < LEAST_ROWS:
        return Comparison(product, _missing(day), len(rows), seconds=DAY_SECONDS)
    base = {n: [_cut(x) for x in month.of(w)] for n, w in zip(NAMES, WINDOWS, strict=True)}
    window = {n: _column(rows, at) for at, n in enumerate(NAMES[:windows])}
    known = {n: base[n] for n, values in window.items() if values}
    values, html = report({n: window[n] for n in known}, known, dict.fromkeys(known, THRESHOLD))
    columns = {n: _drift(values.get(n), recent, at) for at, n in enumerate(NAMES[:windows])}
    return Comparison(
        product, "compared", len(rows), len(month.of(WINDOWS[0])), columns, html, DAY_SECONDS
    )


def _missing(day: Day) -> State:
    return "too_few_rows" if day.is_founded else "no_level"


def _column(rows: Sequence[Inputs], at: int) -> list[float]:
    return [_cut(row[at]) for row in rows if len(row) > at]


def _cut(x: float) -> float:
    return max(x, CUT)


def _drift(value: float | None, recent: Sequence[Inputs], at: int) -> ColumnDrift:
    known = sum(len(row) > at for row in recent) / len(recent)
    broken = known < LEAST_KNOWN or stands_still(recent, at)
    apart = value is not None and value >= THRESHOLD
    return ColumnDrift(value, THRESHOLD, known, 1.0, broken or apart)


def stands_still(rows: Sequence[Inputs], at: int) -> bool:
    """Return whether a column keeps one value while the market moves.

    The market stands where the shortest window is at its least; then the others may, too.
    """
    moving = [row[at] for row in rows if len(row) > at and row[0] > _STILL]
    if len(moving) < LEAST_MOVING:
        return False
    return Counter(moving).most_common(1)[0][1] >= MOST_EQUAL * len(moving)
