"""Seeds of the demo."""

from featurizer.level.seeds import read_seeds
from local.market_seeds import MARKET, seeds_of


def test_the_generated_market_of_the_demo_is_seeded_and_no_other() -> None:
    """By its label, whatever its seed; the package's stand beside, for recordings."""
    seeds = read_seeds(seeds_of(8))
    found = {product: seeds.of("market-8@20261126T000000.000000Z", product) for product in MARKET}
    assert {product: seed.tau for product, seed in found.items() if seed} == MARKET
    assert seeds.of("market-9@20261126T000000.000000Z", "BTC-USD") is None
    recorded = seeds.of("adv_flat_btc@20261126T000000.000000Z", "BTC-USD")
    assert recorded is not None and recorded.label is None
