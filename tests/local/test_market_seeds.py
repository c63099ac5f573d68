"""Seeds of the demo."""

from pathlib import Path

import yaml

from featurizer.level.seeds import read_seeds
from local.config import DemoSettings
from local.market_seeds import MARKET, seeds_of
from simulator.config import SimulatorSettings

ROOT = Path(__file__).resolve().parents[2]


def test_the_generated_market_of_the_demo_is_seeded_and_no_other() -> None:
    """By its label, whatever its seed; the package's stand beside, for recordings."""
    seeds = read_seeds(seeds_of(8))
    found = {product: seeds.of("market-8@20261126T000000.000000Z", product) for product in MARKET}
    assert {product: seed.tau for product, seed in found.items() if seed} == MARKET
    assert seeds.of("market-9@20261126T000000.000000Z", "BTC-USD") is None
    recorded = seeds.of("adv_flat_btc@20261126T000000.000000Z", "BTC-USD")
    assert recorded is not None and recorded.label is None


def taus(text: str) -> dict[tuple[str | None, str], float]:
    """Return τ by label and product."""
    return {(seed.label, seed.product): seed.tau for seed in read_seeds(text).all}


def test_compose_and_kind_begin_with_the_same_levels() -> None:
    """Those of the demo's usual market, so that its products are not blind for an hour.

    And of that of the simulator itself, which drills play.
    """
    [line] = [
        x for x in (ROOT / "env/replay.env").read_text().splitlines() if x.startswith("SEEDS=")
    ]
    values = yaml.safe_load((ROOT / "charts/crypto-volatility/values-kind.yaml").read_text())
    kind = values["components"]["featurizer"]["env"]["FEATURIZER_SEEDS"]
    usual = taus(seeds_of(DemoSettings().seed)) | taus(seeds_of(SimulatorSettings().seed))
    assert values["components"]["simulator"]["env"]["SIMULATOR_SEED"] == str(DemoSettings().seed)
    assert taus(line.removeprefix("SEEDS=")) == taus(kind) == usual
