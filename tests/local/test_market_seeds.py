"""Seeds of the demo."""

from pathlib import Path

import pytest
import yaml

from featurizer.engine import FeatureEngine
from featurizer.level.levels import Levels
from featurizer.level.seeds import read_seeds
from featurizer.row import FeatureRow
from ingestor.continuity import events
from ingestor.instant import SECOND_US
from local.config import DemoSettings
from local.market_seeds import MARKET, seeds_of
from simulator.config import SimulatorSettings
from simulator.market import frames
from simulator.source import source_of

ROOT = Path(__file__).resolve().parents[2]
DEMO = DemoSettings()
NOW = 1_795_835_037


@pytest.mark.parametrize("volatility", ["moods", "wandering"])
def test_the_generated_market_of_the_demo_is_seeded_and_no_other(volatility: str) -> None:
    """By its label, whatever its seed; the package's stand beside, for recordings."""
    seeds = read_seeds(seeds_of(8, volatility))
    played = SimulatorSettings.model_validate({"seed": 8, "volatility": volatility})
    feed = source_of(played, 0).feed(0)
    found = {product: seeds.of(feed, product) for product in MARKET[volatility]}
    assert {product: seed.tau for product, seed in found.items() if seed} == MARKET[volatility]
    assert seeds.of("market-9@20261126T000000.000000Z", "BTC-USD") is None
    assert seeds.of("market-wild-8@20261126T000000.000000Z", "BTC-USD") is None
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
    usual = taus(seeds_of(DEMO.seed, DEMO.volatility)) | taus(seeds_of(SimulatorSettings().seed))
    assert taus(line.removeprefix("SEEDS=")) == taus(kind) == usual


def test_compose_and_kind_play_the_market_of_the_demo() -> None:
    """Its seed, its kind and its past."""
    told = dict(
        x.split("=", 1) for x in (ROOT / "env/replay.env").read_text().splitlines() if "=" in x
    )
    values = yaml.safe_load((ROOT / "charts/crypto-volatility/values-kind.yaml").read_text())
    wanted = {
        "SIMULATOR_SEED": str(DEMO.seed),
        "SIMULATOR_VOLATILITY": DEMO.volatility,
        "SIMULATOR_HISTORY_SECONDS": str(DEMO.history),
    }
    assert values["components"]["simulator"]["env"] == wanted
    named = zip(wanted, ("SEED", "VOLATILITY", "HISTORY"), strict=True)
    assert {name: told[short] for name, short in named} == wanted


def rows(seconds_after: int) -> list[FeatureRow]:
    """The rows of the demo's market up to so many seconds after its past."""
    made = frames(
        DEMO.seed,
        DEMO.products.split(","),
        (NOW - DEMO.history) * SECOND_US,
        DEMO.history + seconds_after,
        past=DEMO.history,
        volatility=DEMO.volatility,
    )
    engine = FeatureEngine(Levels(read_seeds(seeds_of(DEMO.seed, DEMO.volatility))))
    found = (engine.update(event) for event in events(made, f"market-wandering-{DEMO.seed}@x"))
    return [row for row in found if row is not None]


def test_the_demo_s_past_earns_a_level_and_its_market_jumps_soon_after() -> None:
    """Below the level while the past ends, one and a half times it within two minutes."""
    ratios: dict[str, list[tuple[float, float]]] = {}
    for row in rows(120):
        after = row.time_us / SECOND_US - NOW
        rv60 = row.features["realized_volatility_60s"]
        if after > -120:
            assert row.tau_status == "provisional" and row.tau and rv60
            assert row.coverage == 1.0
            ratios.setdefault(row.product_id, []).append((after, rv60 / row.tau))
    assert set(ratios) == set(DEMO.products.split(","))
    for course in ratios.values():
        assert max(ratio for after, ratio in course if after < 20) < 1
        assert max(ratio for after, ratio in course) > 1.5
