"""Levels that the featurizer begins with in a demo: those of the generated market too."""

from collections.abc import Mapping
from typing import Final

import msgspec

from featurizer.level.seeds import Seed, packaged_seeds, read_seeds
from ingestor.tick import GENERATED_FEED
from simulator.volatility import MOODS, WANDERING, kind_of

MARKET: Final = {
    MOODS: {"BTC-USD": 0.0012633791081741851, "ETH-USD": 0.0014078929290219338},
    WANDERING: {"BTC-USD": 0.000603521129770846, "ETH-USD": 0.000603521129770846},
}
"""Of the moods, P90 by the cells of the level over the first three hours of seed 7; of the
wandering market, the geometric mean of the P90 of a day over seeds 1 to 8, which is that of any
product (``python -m benchmarks.market_fit``)."""
SOURCE: Final = {MOODS: "three hours of this market", WANDERING: "eight days of such markets"}
DAYS: Final = {MOODS: 1, WANDERING: 8}


def seeds_of(seed: int, volatility: str = MOODS) -> str:
    """Return the package's seeds and those of the market of a seed, as ``FEATURIZER_SEEDS``.

    A market that is held in a mood has none of its own.
    """
    label = f"{GENERATED_FEED}{kind_of(volatility)}{seed}"
    taus: Mapping[str, float] = MARKET.get(volatility, {})
    own = [
        Seed(
            product=product, label=label, tau=tau, source=SOURCE[volatility], days=DAYS[volatility]
        )
        for product, tau in taus.items()
    ]
    return msgspec.json.encode([*read_seeds(packaged_seeds()).all, *own]).decode()
