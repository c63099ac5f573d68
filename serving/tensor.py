"""The tensors of our models: names, type and shape, and how an input becomes rows."""

from collections.abc import Sequence
from math import inf
from typing import Any, Final

from featurizer.features import EXAMPLE, NAMES, REQUIRED, widened
from serving.errors import TensorError

INPUT: Final = "features"
OUTPUT: Final = "score"
SEVERE: Final = "severe"
"""The second output of models in units of τ: the chance that volatility reaches 2τ."""
TAU: Final = "tau"
WITHOUT_TAU: Final = 14
"""Up to so many columns are features alone. In a wider tensor the last one is τ, whatever features
are appended later: a width has one meaning for ever."""
DATATYPE: Final = "FP64"
EXAMPLE_ROW: Final = tuple(EXAMPLE[name] for name in NAMES)
"""What a model is asked where only its answer matters, in the order of ``NAMES``."""

Row = Sequence[float | None]
"""Values in the order of ``NAMES``, and where it is known here, the product's τ after them."""


def width_for(features: int, *, tau: bool = False) -> int:
    """Return how many columns a tensor of the first so many features has, with τ or without.

    >>> width_for(12), width_for(14), width_for(14, tau=True)
    (12, 14, 15)
    """
    if features <= WITHOUT_TAU and not tau:
        return features
    return max(features, WITHOUT_TAU) + 1


def columns_of(row: Row, width: int) -> Row:
    """Return what of a row goes into a tensor of this width."""
    if width <= WITHOUT_TAU:
        return row[:width]
    return [*row[: width - 1], tau_of(row)]


def tau_of(row: Row) -> float | None:
    """Return the τ of a row (log return over 60 s), None where it has none."""
    tau = row[len(NAMES)] if len(row) > len(NAMES) else None
    return None if tau is None or tau != tau else tau


_WIDTHS: Final = range(len(REQUIRED), width_for(len(NAMES), tau=True) + 1)


def rows_of(name: str, datatype: str, shape: Sequence[int], data: Sequence[Any]) -> list[Row]:
    """Cut an input tensor into rows in the order of ``NAMES``, τ after them where it is sent.

    ``data`` is flat or nested, as V2 allows; None and NaN mean unknown. A client of before sends
    the features of its time, at least ``REQUIRED``: what came later is unknown.

    Raises:
        TensorError: says which of name, datatype, shape or value is wrong, and where.
    """
    if name != INPUT:
        raise TensorError(f"found an input {name!r}, expected {INPUT!r}")
    if datatype != DATATYPE:
        raise TensorError(f"{INPUT} has datatype {datatype}, expected {DATATYPE}")
    if len(shape) != 2 or shape[0] < 1 or shape[1] not in _WIDTHS:
        raise TensorError(f"{INPUT} has shape {list(shape)}, expected {_expected()} with n >= 1")
    values, width = _flat(data, *shape), shape[1]
    if len(values) != shape[0] * width:
        raise TensorError(
            f"{INPUT} has {len(values)} values, expected {shape[0] * width} for {list(shape)}"
        )
    numbers = _numbers(values, width)
    cut = [numbers[at : at + width] for at in range(0, len(numbers), width)]
    if width <= WITHOUT_TAU:
        return [widened(row) for row in cut]
    for number, row in enumerate(cut):
        if row[-1] is not None and row[-1] <= 0.0:
            raise TensorError(f"row {number}, {TAU}: found {row[-1]}, expected a number above 0")
    return [[*widened(row[:-1]), row[-1]] for row in cut]


def _expected() -> str:
    widths = sorted({_WIDTHS[0], _WIDTHS[-1]})
    return f"[n, {' … '.join(map(str, widths))}]"


def _flat(data: Sequence[Any], rows: int, width: int) -> list[Any]:
    if not any(isinstance(row, list) for row in data):
        return list(data)
    if len(data) != rows or any(not isinstance(r, list) or len(r) != width for r in data):
        raise TensorError(f"{INPUT} has nested data that is not {rows} rows of {width} values")
    return [value for row in data for value in row]


def _numbers(values: list[Any], width: int) -> list[float | None]:
    kinds = set(map(type, values))
    if not kinds <= {float, int, type(None)}:
        raise _wrong(values, width, lambda x: type(x) not in (float, int, type(None)))
    if int in kinds:
        values = [float(x) if type(x) is int and abs(x) < 2**1023 else x for x in values]
    if inf in values or -inf in values or int in set(map(type, values)):
        raise _wrong(values, width, lambda x: type(x) is int or x in (inf, -inf))
    return values


def _wrong(values: list[Any], width: int, is_wrong: Any) -> TensorError:
    place = next(place for place, value in enumerate(values) if is_wrong(value))
    row, column = divmod(place, width)
    shown = repr(values[place])[:40]
    named = TAU if width > WITHOUT_TAU and column == width - 1 else NAMES[column]
    return TensorError(f"row {row}, {named}: found {shown}, expected a finite number, null or NaN")
