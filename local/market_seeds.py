"""Levels that the featurizer begins with in a demo: those of the generated market too."""

from typing import Final

import msgspec

from featurizer.level.seeds import Seed, packaged_seeds, read_seeds
from ingestor.tick import GENERATED_FEED

MARKET: Final = {"BTC-USD": 0.0012633791081741851, "ETH-USD": 0.0014078929290219338}
"""P90, by the cells of the level, of the first three hours of the market of seed 7."""


def seeds_of(seed: int) -> str:
    """Return the package's seeds and those of the market of a seed, as ``FEATURIZER_SEEDS``."""
    own = [
        Seed(
            product=product,
            label=f"{GENERATED_FEED}{seed}",
            tau=tau,
            source="the first three hours of the generated market of seed 7",
            days=1,
        )
        for product, tau in MARKET.items()
    ]
    return msgspec.json.encode([*read_seeds(packaged_seeds()).all, *own]).decode()
