"""The training reference travels in the model folder, under its sums."""

import json
from collections.abc import Callable
from math import nan
from pathlib import Path
from typing import Any

import pytest

from featurizer.features import NAMES, REQUIRED
from serving.artifact import ArtifactError, load_folder, write_folder
from serving.linear import Linear
from serving.reference import (
    MOST_ROWS,
    Reference,
    encode_reference,
    read_reference,
    reference_of,
)

CardOf = Callable[..., dict[str, Any]]


def made(count: int = 5_000) -> Reference:
    """Rows of two products, the second with a tenth of the first one's."""
    products = ["BTC-USD"] * count + ["ETH-USD"] * (count // 10)
    rows = [[n / 7 + 1e-9, *[0.5] * len(NAMES[2:]), nan] for n in range(len(products))]
    scores = [(n * 37 % 1000) / 1000 for n in range(len(products))]
    spikes = [n % 4 == 0 for n in range(count)] + [None] * (count // 10)
    return reference_of(products, rows, scores, spikes)


def test_products_share_the_rows_equally() -> None:
    """Of two products each keeps half of what may be kept, or all that it has."""
    parts = made().products
    assert {name: len(part.rows) for name, part in parts.items()} == {
        "BTC-USD": MOST_ROWS // 2,
        "ETH-USD": 500,
    }
    assert {name: part.of_rows for name, part in parts.items()} == {
        "BTC-USD": 5_000,
        "ETH-USD": 500,
    }


def test_no_order_of_time_is_left() -> None:
    """Rows stand in the order of their scores."""
    part = made().products["BTC-USD"]
    assert part.scores == sorted(part.scores)


def test_a_row_keeps_its_score_and_six_digits() -> None:
    """What is kept is a row that was given, with its own score; NaN becomes null."""
    part = made().products["BTC-USD"]
    for row, score in zip(part.rows, part.scores, strict=True):
        n = round(row[0] * 7) if row[0] is not None else -1
        assert score == n * 37 % 1000 / 1000
        assert row[0] == float(f"{n / 7 + 1e-9:.6g}")
        assert row[-1] is None


def test_prevalence_counts_all_rows_that_have_a_label() -> None:
    """It is that of all training rows, not of the kept; null where no row has a label."""
    parts = made().products
    assert parts["BTC-USD"].prevalence == 0.25
    assert parts["ETH-USD"].prevalence is None


def test_unequal_lengths_are_refused() -> None:
    """Each row needs a product, a score and a label or None."""
    with pytest.raises(ValueError, match=r"found lengths \[1, 2\]"):
        reference_of(["BTC-USD"], [[0.0] * len(NAMES)], [0.5, 0.5], [True])


@pytest.fixture
def with_reference(tmp_path: Path, baseline: Linear, card_of: CardOf) -> Path:
    """A folder that brings a reference."""
    path = tmp_path / "baseline"
    card = card_of(baseline.score)
    write_folder(path, variant="baseline", linear=baseline, card=card, reference=made())
    return path


def test_it_is_loaded_as_it_was_written(with_reference: Path) -> None:
    """The folder gives the reference back, equal to the one written."""
    assert load_folder(with_reference).reference() == made()


def test_a_folder_from_before_it_loads_without(folder: Path) -> None:
    """A folder without ``reference.json`` is a good one, and says that it has none."""
    assert load_folder(folder).reference() is None


def test_writing_again_without_one_takes_it_away(
    with_reference: Path, baseline: Linear, card_of: CardOf
) -> None:
    """An older reference does not stay beside a newer model."""
    card = card_of(baseline.score)
    write_folder(with_reference, variant="baseline", linear=baseline, card=card)
    assert not (with_reference / "reference.json").exists()
    assert load_folder(with_reference).reference() is None


@pytest.mark.parametrize("width", range(len(REQUIRED), len(NAMES) + 1))
def test_a_reference_is_over_the_features_there_were(width: int) -> None:
    """One of before is read; its rows know nothing of what came later."""
    document = json.loads(encode_reference(made())) | {"features": list(NAMES[:width])}
    for part in document["products"].values():
        part["rows"] = [row[:width] for row in part["rows"]]
    found = read_reference(json.dumps(document).encode())
    assert found.features == list(NAMES)
    for product, part in found.products.items():
        rows = document["products"][product]["rows"]
        assert part.rows == [[*row, *[None] * (len(NAMES) - width)] for row in rows]


def test_a_changed_reference_is_refused(with_reference: Path) -> None:
    """It stands under the sums: one changed byte and the folder does not load."""
    path = with_reference / "reference.json"
    path.write_bytes(path.read_bytes().replace(b"0.25", b"0.26"))
    with pytest.raises(ArtifactError, match=r"reference\.json has SHA-256"):
        load_folder(with_reference)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"features": list(REQUIRED[:-1])}, "has schema 1 and features"),
        ({"schema_version": 2}, "has schema 2"),
        (
            {"products": {"X": {"rows": [[1.0]], "scores": [], "prevalence": None, "of_rows": 1}}},
            "X",
        ),
        ({"products": 7}, "is no reference"),
    ],
)
def test_one_that_does_not_fit_is_refused(change: dict[str, Any], said: str) -> None:
    """Other features, another schema and rows of another width are named."""
    document = json.loads(encode_reference(made())) | change
    with pytest.raises(ArtifactError, match=said):
        read_reference(json.dumps(document).encode())
