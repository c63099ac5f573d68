"""Drift against the training rows: what is seen, what is not, and what cannot be said."""

import random
import warnings
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from benchmarks.drift_markets import model_of, values
from drift.comparison import (
    COLUMNS,
    LEAST_ROWS,
    SCORE,
    Comparison,
    Known,
    Measured,
    Scale,
    compare,
    evidently_report,
    reference_columns,
    threshold_of,
)
from featurizer.features import NAMES
from serving.reference import ProductReference, reference_of
from tests.drift.world import hour

Row = list[float | None]


def distances(window: Known, reference: Known, thresholds: Mapping[str, float]) -> Measured:
    """Evidently's values without its report."""
    from scipy.stats import wasserstein_distance  # its import takes a second

    return {n: float(wasserstein_distance(reference[n], window[n])) for n in thresholds}, b"html"


def drawn(count: int, seed: int, factor: float = 1.0) -> list[Row]:
    """Independent rows: volatilities near 1e-4 times ``factor``, the others near 1."""
    chance = random.Random(seed)
    return [
        [
            (1e-4 * factor if "volatility" in name else 1.0) * chance.lognormvariate(0.0, 0.3)
            for name in NAMES
        ]
        for _ in range(count)
    ]


def reference(found: list[Row], of_rows: int = 7_200) -> ProductReference:
    """The training reference of these rows, scored by their position."""
    scores = [at / len(found) for at in range(len(found))]
    part = reference_of(["m"] * len(found), found, scores, [None] * len(found)).products["m"]
    return ProductReference(rows=part.rows, scores=part.scores, prevalence=None, of_rows=of_rows)


def columns(found: list[Row], scores: list[float] | None = None) -> dict[str, Any]:
    """A window of these rows."""
    made: dict[str, Any] = {name: [row[at] for row in found] for at, name in enumerate(NAMES)}
    return made | {SCORE: scores or [at / len(found) for at in range(len(found))]}


def judged(window: dict[str, Any], part: ProductReference) -> Comparison:
    """Compare without Evidently."""
    return compare("BTC-USD", window, part, distances)


def test_rows_of_the_same_kind_have_not_drifted() -> None:
    """Nothing changed: a verdict, every column compared, none drifted."""
    found = judged(columns(drawn(60, 1)), reference(drawn(1_000, 2)))
    assert (found.state, found.detected, found.share) == ("compared", False, 0.0)
    assert [name for name, column in found.columns.items() if column.value is None] == []


def test_a_volatility_of_1e_4_that_triples_is_seen() -> None:
    """Its size does not hide a change: distances are in deviations of the reference."""
    found = judged(columns(drawn(60, 1, factor=3.0)), reference(drawn(1_000, 2)))
    drifted = [name for name, column in found.columns.items() if column.drifted]
    assert drifted == ["realized_volatility_60s", "realized_volatility_300s"]
    assert (found.columns["realized_volatility_60s"].value or 0.0) > 3.0


def test_a_product_has_drifted_from_four_of_thirteen_columns_on() -> None:
    """Three drifted columns are no drift of the product, four are."""
    base, window = reference(drawn(1_000, 2)), columns(drawn(60, 1))
    for count, expected in ((3, False), (4, True)):
        moved = window | {name: [x * 9 for x in window[name]] for name in NAMES[4 : 4 + count]}
        assert judged(moved, base).detected is expected


def test_too_few_rows_are_no_verdict() -> None:
    """A window that is too short says so, and neither 0 nor 1."""
    found = judged(columns(drawn(LEAST_ROWS - 1, 1, factor=9.0)), reference(drawn(1_000, 2)))
    assert (found.state, found.detected, found.share) == ("too_few_rows", None, None)
    assert (found.rows, found.html) == (LEAST_ROWS - 1, None)


def test_too_short_a_training_is_no_reference() -> None:
    """Some minutes of training rows are not compared with, however many rows they are."""
    found = judged(columns(drawn(60, 1)), reference(drawn(1_000, 2), of_rows=1_000))
    assert (found.state, found.detected) == ("short_reference", None)


def test_a_column_that_went_missing_has_drifted() -> None:
    """Known in training and unknown now: drifted, with no distance."""
    window = columns(drawn(60, 1)) | {"order_book_imbalance_60s": [None] * 60}
    found = judged(window, reference(drawn(1_000, 2))).columns["order_book_imbalance_60s"]
    assert (found.value, found.drifted) == (None, True)
    assert (found.known_window, found.known_reference) == (0.0, 1.0)


def test_a_column_that_training_lacked_is_left_out() -> None:
    """Unknown in training: neither drifted nor not, and not part of the share."""
    lacking = [[*row[:8], None, None, None, *row[11:]] for row in drawn(1_000, 2)]
    found = judged(columns(drawn(60, 1)), reference(lacking))
    assert found.columns["order_book_imbalance_30s"].drifted is None
    flags = [c.drifted for c in found.columns.values() if c.drifted is not None]
    assert len(flags) == len(COLUMNS) - 3


def test_single_nulls_do_not_matter() -> None:
    """A column with some nulls is compared by the rest."""
    window = columns(drawn(60, 1))
    window["spread_mean_60s"] = [
        None if at % 5 == 0 else x for at, x in enumerate(window["spread_mean_60s"])
    ]
    found = judged(window, reference(drawn(1_000, 2))).columns["spread_mean_60s"]
    assert found.drifted is False and found.known_window == 0.8


def test_nothing_in_common_is_no_verdict() -> None:
    """With no comparable column the share is unknown."""
    nothing: list[Row] = [[None] * len(NAMES) for _ in range(1_000)]
    base = ProductReference(
        rows=nothing, scores=[float("nan")] * 1_000, prevalence=None, of_rows=7_200
    )
    found = judged(columns(drawn(60, 1)), base)
    assert (found.share, found.detected) == (None, None)


def test_a_constant_reference_is_met_by_the_same_value() -> None:
    """A column without deviation is at distance 0 from itself, and far from another value."""
    scale = Scale.of("order_book_imbalance_60s", [0.25] * 9)
    assert scale(0.25) == 0.0 and abs(scale(0.5)) >= 1.0
    assert Scale.of("spread_mean_60s", [0.0] * 9)(0.0) == 0.0


def test_longer_windows_have_the_wider_threshold() -> None:
    """Features over 300 s have a fifth of the independent values of those over 60 s."""
    assert threshold_of("realized_volatility_60s") < threshold_of("realized_volatility_300s")
    assert threshold_of("order_book_imbalance_30s") == threshold_of("log_return_60s")
    assert threshold_of(SCORE) == threshold_of("price_velocity_300s")


@pytest.mark.parametrize(("mood", "expected"), [("calm", False), ("normal", True), ("wild", True)])
@pytest.mark.exhaustive
def test_a_change_of_regime_in_the_simulator_is_seen(mood: str, expected: bool) -> None:
    """Against calm training rows another calm hour has not drifted, other moods have."""
    base = values(hour("calm", 1))
    model = model_of(base)
    part = reference(base, of_rows=60 * len(base))
    window = values(hour(mood, 2))
    found = judged(columns(window, [model.score(row) for row in window]), part)
    assert (found.state, found.detected) == ("compared", expected)


@pytest.mark.exhaustive
def test_evidently_gives_the_distance_and_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its values are the Wasserstein distances in reference deviations; its page stands alone."""
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    window, part = columns(drawn(60, 1, factor=3.0)), reference(drawn(300, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of Evidently's own imports
        found = compare("BTC-USD", window, part, evidently_report)
    expected = judged(window, part)
    for name in COLUMNS:
        assert found.columns[name].value == pytest.approx(expected.columns[name].value, rel=1e-9)
        assert found.columns[name].drifted == expected.columns[name].drifted
    assert found.html is not None and b"<html" in found.html[:1_000].lower()
    assert b"realized_volatility_300s" in found.html


def test_the_reference_keeps_its_columns_in_order() -> None:
    """A reference read column by column has one for each feature and the score."""
    made = reference_columns(reference(drawn(50, 3)))
    assert tuple(made) == COLUMNS
    assert all(a <= b for a, b in pairwise(x or 0.0 for x in made[SCORE]))
