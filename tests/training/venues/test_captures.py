"""Captures in units of the seed's level: what may be learned from, each a part."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from featurizer.level.seeds import Seed, Seeds
from training.data.checks import HOLDOUT
from training.venues.captures import capture_files, read_captures

SEEDS = Seeds([Seed(product="BTC-USD", tau=3e-4, source="made up", days=1)])


def test_captures_of_a_product_with_a_seed_are_parts(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    """ETH-USD has no seed, and a held out capture is left out."""
    write(tmp_path / "adv_one.ndjson", products=("BTC-USD", "ETH-USD"))
    write(tmp_path / "adv_two.ndjson", start=1_700_010_000, seed=2)
    write(tmp_path / "adv_eth.ndjson", start=1_700_020_000, products=("ETH-USD",))
    write(tmp_path / f"{HOLDOUT[0]}.ndjson", start=1_700_030_000)
    write(tmp_path / "other.ndjson", start=1_700_040_000)
    assert len(capture_files(tmp_path)) == 4
    found, names = read_captures(tmp_path, SEEDS)
    assert names == ["adv_one.ndjson", "adv_two.ndjson"]
    assert np.unique(found.part).tolist() == [0, 1]
    assert set(found.tau) == {3e-4}
    # 800 s each, of which 20 returns are waited for and 60 s come after the last.
    assert 1430 < len(found) <= 2 * 720
    assert 0.0 < found.spikes.mean() < 1.0
