"""The folder of models, as drift reads it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drift.models import read_models
from featurizer.features import NAMES
from ingestor.instant import instant
from serving.artifact import write_folder
from serving.linear import Linear
from serving.reference import reference_of

NAME = NAMES[:1]
LINEAR = Linear("ml", NAME, (0.001,), (0.001,), (0.0005,), (2.0,), 0.0)
LAST = "2026-04-06T15:12:00Z"
Make = Callable[..., str]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a model folder and return its digest."""

    def write(name: str, product: str = "BTC-USD", **card: Any) -> str:
        rows = [[1e-3, *[None] * (len(NAMES) - 1)]]
        scores = [LINEAR.score(rows[0])]
        fields = {
            "dialect": "advanced",
            "tau": {product: 0.0012},
            "threshold": {product: 0.5},
            "golden": {"rows": rows, "scores": scores},
        }
        reference = reference_of([product], rows, scores, [None])
        info = write_folder(
            tmp_path / name, variant="ml", linear=LINEAR, card=fields | card, reference=reference
        )
        return info.digest

    return write


def test_every_folder_with_a_card_is_a_model(tmp_path: Path, make: Make) -> None:
    """By digest, with the products that it knows."""
    digests = {make("one"), make("two", "ETH-USD")}
    (tmp_path / "empty").mkdir()
    found = read_models(tmp_path)
    assert set(found.by_digest) == digests
    assert found.products == {"BTC-USD", "ETH-USD"}
    assert (found.refused, found.promoted_us) == ({}, None)


def test_the_end_of_its_newest_data_is_known(tmp_path: Path, make: Make) -> None:
    """From the card's captures; a card that does not say has none."""
    said = make("one", data=[{"last": "2026-04-05T00:00:00Z"}, {"last": LAST}])
    unsaid, odd = make("two", "ETH-USD"), make("three", "SOL-USD", data=[{"last": "then"}])
    found = read_models(tmp_path).by_digest
    assert found[said].trained_us == instant(LAST)[0]
    assert found[unsaid].trained_us is None and found[odd].trained_us is None


def test_a_damaged_folder_is_refused_and_not_fatal(tmp_path: Path, make: Make) -> None:
    """The others stand; it is named with the reason."""
    good = make("good")
    make("bad", "ETH-USD")
    (tmp_path / "bad" / "model.json").write_text("{}")
    found = read_models(tmp_path)
    assert set(found.by_digest) == {good}
    assert list(found.refused) == ["bad"] and "model.json" in found.refused["bad"]
