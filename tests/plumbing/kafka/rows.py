"""Values as the pipeline's topics hold them: names that repeat, and digits that do not."""

from random import Random
from typing import Final

import msgspec

NAMES: Final = ("realized_volatility_60s", "log_return_60s", "spread_mean_60s", "imbalance_30s")


def rows_of(count: int, seed: int = 7, feed: str = "coinbase") -> list[bytes]:
    """Return so many rows of one product."""
    chance = Random(seed)
    return [
        msgspec.json.encode(
            {
                "row_id": f"{feed}:BTC-USD:{1_790_000_000_000_000 + 250_000 * at}:{at}",
                "feed": feed,
                "mid": round(67_000 + chance.gauss(0, 5), 2),
                "features": {name: chance.gauss(0, 1e-3) for name in NAMES},
                "schema_version": 2,
            }
        )
        for at in range(count)
    ]
