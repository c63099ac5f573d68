"""Seeds by label and product."""

import csv
import gzip
from math import log, sqrt
from pathlib import Path

import pytest

from featurizer.level.histogram import Histogram, cell_of
from featurizer.level.seeds import Seed, SeedError, Seeds, packaged_seeds, read_seeds

BTC = Seed(product="BTC-USD", tau=6e-4, source="the month", days=31)
OWN = Seed(product="BTC-USD", label="market-7", tau=3e-4, source="the market", days=1)


@pytest.mark.parametrize(
    ("feed", "found"),
    [
        ("coinbase", BTC),
        ("adv_flat_btc_20260406T1502_10min@20261126T000000.000000Z", BTC),
        ("market-7@20261126T000000.000000Z", OWN),
        ("market-8@20261126T000000.000000Z", None),
    ],
)
def test_label_and_product_go_before_the_product_alone(feed: str, found: Seed | None) -> None:
    """The product alone is for the exchange and its recordings, never for another market."""
    assert Seeds([BTC, OWN]).of(feed, "BTC-USD") == found
    assert Seeds([BTC, OWN]).of(feed, "ETH-USD") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "JSON array"),
        ('[{"product": "A", "tau": 0, "source": "", "days": 1}]', "above 0"),
        ('[{"product": "A", "tau": 1e-3, "source": "", "days": 0}]', "a day"),
        ('[{"product": "A", "tau": 1e-3, "source": "", "days": 1, "lable": "x"}]', "lable"),
        (
            "[" + ",".join(['{"product": "A", "tau": 1e-3, "source": "", "days": 1}'] * 2) + "]",
            "two",
        ),
    ],
)
def test_what_is_no_seed_is_refused(text: str, said: str) -> None:
    """The message says what was found."""
    with pytest.raises(SeedError, match=said):
        read_seeds(text)


@pytest.mark.captures
def test_the_packaged_seed_is_what_the_month_of_minutes_gives(captures: Path) -> None:
    """P90 by the level's own cells of Parkinson's volatility of each minute with trades."""
    counted, days = Histogram(), set[str]()
    with gzip.open(captures / "exch_minutes_btc_20260706_20260805.csv.gz", "rt") as lines:
        for row in csv.DictReader(lines):
            if row["high"]:
                days.add(row["minute_utc"][:10])
                spread = log(float(row["high"]) / float(row["low"]))
                counted.count(cell_of(spread / (2 * sqrt(log(2)))))
    [seed] = read_seeds(packaged_seeds()).all
    assert (seed.product, seed.label, seed.days) == ("BTC-USD", None, len(days))
    assert seed.tau == counted.p90() and str(counted.n) in seed.source
