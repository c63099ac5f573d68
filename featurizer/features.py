"""The features, each defined once.

Names, tensor order, training columns, drift columns, the examples and ``docs/features.md`` follow
from ``FEATURES``; ``docs/adding-a-feature.md`` says how to add one.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from featurizer import statistic as stat
from featurizer.statistic import Return, Statistic


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
    Feature(stat.REALIZED_VOLATILITY, 60, 0.00071, "8b4eb41f9e4a88af"),
    Feature(stat.LOG_RETURN, 60, -0.000729, "30b8da23897e43bb"),
    Feature(stat.SPREAD_MEAN, 60, 0.00000133, "f7b6e976cd9fa76e"),
    Feature(stat.TRADE_INTENSITY, 60, 5.37, "684221b35bfe50b8"),
    Feature(stat.REALIZED_VOLATILITY, 300, 0.001543, "37a35c210b6ce47e"),
    Feature(stat.LOG_RETURN, 300, -0.001073, "bae53deeb762612a"),
    Feature(stat.SPREAD_MEAN, 300, 0.00000186, "fad5b7798246890a"),
    Feature(stat.TRADE_INTENSITY, 300, 5.43, "5a3c9d60d7ff4695"),
    Feature(stat.ORDER_BOOK_IMBALANCE, 30, -0.366, "fe3ae528c92e8a00"),
    Feature(stat.ORDER_BOOK_IMBALANCE, 60, -0.458, "6c6937c8120b9536"),
    Feature(stat.ORDER_BOOK_IMBALANCE, 300, -0.363, "05f1fdf2fd2320de"),
    Feature(stat.PRICE_VELOCITY, 300, 0.000051, "80ba69625e7ff462"),
    Feature(stat.REALIZED_VOLATILITY, 900, 0.002101, "93b16bd80e5df83a"),
    Feature(stat.REALIZED_VOLATILITY, 3600, 0.003604, "0073f35d476953c3"),
)
"""A new one is appended, never put between: positions in tensors and kept models stay."""
NAMES: Final = tuple(feature.name for feature in FEATURES)
REQUIRED: Final = NAMES[:12]
"""Those of the first release: every row and request names them. What came later may be absent."""
EXAMPLE: Final = {feature.name: feature.example for feature in FEATURES}
"""A row for the documentation and to probe a model with."""

_TWELVE: Final = "072485baafc31a9b5f035831352365c1aa5580816bb7f6dcc914950657cc2f08"
_OLDER: Final = {
    "53c936bf0205029b2d83d8020c9cdc10986a9c9509c272c3e6835e5af1cb8147": _TWELVE,
    "bb2edd86598d9246815804f6552eedaf4d9172bb865c3cf83e8959ab6e75e585": _TWELVE,
}
"""Digests of before, and that of the same definitions today.

The first was made of words. In both a volatility was unknown until half of its window was known;
where it was known it had the same value, so what was learned from it goes on.
"""


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
