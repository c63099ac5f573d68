"""What days look like in units of their levels: the reference of models in units of τ.

What these learned from are the inputs of a month of Coinbase's minutes. Their folders' own rows are
of captures under one fixed τ, a seed, which tell of no day: against them ordinary days lie further
away than days under a level three times too large. So the month's quantiles come with the package;
``python -m benchmarks.drift_days`` makes them.
"""

from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from serving.relative import WINDOWS

PACKAGED: Final = Path(__file__).with_name("month.json")


class Month(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Quantiles of x_w by window in seconds, rising, as many of each; ``minutes`` these are of."""

    source: str
    licence: str
    first: str
    last: str
    minutes: int
    quantiles: dict[str, list[float]]

    def of(self, window: int) -> list[float]:
        """Return the quantiles of one of ``WINDOWS``."""
        return self.quantiles[str(window)]


@cache
def packaged_month() -> Month:
    """Return the month that comes with the package."""
    return read_month(PACKAGED.read_bytes())


def read_month(data: bytes) -> Month:
    """Read a month.

    Raises:
        ValueError: it is none, lacks a window, or its quantiles do not rise.
    """
    try:
        found = msgspec.json.decode(data, type=Month)
    except msgspec.DecodeError as exc:
        raise ValueError(f"expected a month of quantiles: {exc}") from exc
    expected = [str(window) for window in WINDOWS]
    if [*found.quantiles] != expected:
        raise ValueError(f"found windows {[*found.quantiles]}, expected {expected}")
    for window, values in found.quantiles.items():
        if not values or values != sorted(values):
            raise ValueError(f"found quantiles of {window} s that do not rise, expected some")
    return found
