"""Every candidate of the table: fits, calibrates, and is served as it was fitted."""

from collections.abc import Callable

import numpy as np
import pytest

from featurizer.features import NAMES
from training.data.rows import Table
from training.data.thresholds import tau_of
from training.errors import FitError
from training.models.candidates import CANDIDATES, TABLE
from training.models.fitting import Fitted, columns_of, fit, plain_pipeline
from training.models.labelled_set import LabelledSet

MakeTable = Callable[..., Table]
FITTED = [candidate.name for candidate in TABLE if candidate.name != "rule"]
LINEAR = ["last", "baseline", "har_equal", "har_fitted", "har_free", "logistic"]


@pytest.fixture(scope="module")
def labelled(market_table: MakeTable) -> LabelledSet:
    """Four groups of ten minutes, with spikes in several and a null here and there."""
    table = market_table()
    table.features[::50] = np.nan
    return LabelledSet.of(table, tau_of(table))


@pytest.fixture(scope="module")
def fits(labelled: LabelledSet) -> dict[str, dict[str, Fitted]]:
    """Every candidate, fitted and calibrated in each way."""
    return {name: {**fit(CANDIDATES[name], labelled)} for name in FITTED}


def test_the_table_goes_from_simple_to_rich() -> None:
    """Ties are settled by the numbers a fit makes; names are unique."""
    assert len(CANDIDATES) == len(TABLE)
    free = [candidate.numbers for candidate in TABLE if candidate.role == "candidate"]
    assert free == sorted(free)


@pytest.mark.parametrize("name", FITTED)
@pytest.mark.exhaustive
def test_scores_are_probabilities(
    name: str, fits: dict[str, dict[str, Fitted]], labelled: LabelledSet
) -> None:
    """Whatever the calibration, every row has a score in [0, 1], nulls included."""
    for fitted in fits[name].values():
        scores = fitted.scores(labelled.table)
        assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("name", FITTED)
@pytest.mark.exhaustive
def test_learned_rows_are_told_apart(
    name: str, fits: dict[str, dict[str, Fitted]], labelled: LabelledSet
) -> None:
    """On the rows it learned from, a candidate scores spikes higher than others."""
    scores = fits[name]["none"].scores(labelled.table)
    assert scores[labelled.spikes].mean() > 2 * scores[~labelled.spikes].mean()


@pytest.mark.parametrize("name", FITTED)
def test_each_is_calibrated_as_its_kind_allows(
    name: str, fits: dict[str, dict[str, Fitted]]
) -> None:
    """Only a forecast has errors to calibrate by; the baseline stays the plain z-score."""
    forecast = {"none", "errors", "sigmoid", "isotonic"}
    ways = forecast if CANDIDATES[name].forecast else forecast - {"errors"}
    assert set(fits[name]) == ({"none"} if name == "baseline" else ways)


@pytest.mark.parametrize("name", LINEAR)
def test_plain_numbers_score_as_the_pipeline(
    name: str, fits: dict[str, dict[str, Fitted]], labelled: LabelledSet
) -> None:
    """Served row by row in plain Python, a linear candidate scores the same, calibrated too."""
    rows = labelled.table.features.tolist()
    for way, fitted in fits[name].items():
        linear = fitted.linear("ml")
        if way == "isotonic":
            assert linear is None
            continue
        assert linear is not None
        served = np.array([linear.score(row) for row in rows])
        np.testing.assert_allclose(served, fitted.scores(labelled.table), rtol=1e-9)
        plain = plain_pipeline(linear).predict_proba(columns_of(labelled.table, fitted.features))
        np.testing.assert_allclose(plain[:, 1], served, rtol=1e-12)


@pytest.mark.parametrize("name", ["ewma", "boosting", "forest"])
def test_what_is_not_linear_says_so(name: str, fits: dict[str, dict[str, Fitted]]) -> None:
    """Such a model is served by its pipeline."""
    assert fits[name]["none"].linear("ml") is None


def test_a_plain_pipeline_has_only_steps_of_scikit_learn(
    fits: dict[str, dict[str, Fitted]],
) -> None:
    """It can be loaded where this package is not."""
    linear = fits["har_equal"]["errors"].linear("ml")
    assert linear is not None
    modules = {type(step).__module__ for _, step in plain_pipeline(linear).steps}
    assert all(module.startswith("sklearn.") for module in modules)


@pytest.mark.parametrize("name", ["har_equal", "logistic", "forest", "boosting"])
@pytest.mark.exhaustive
def test_fitting_twice_gives_equal_bits(
    name: str, fits: dict[str, dict[str, Fitted]], labelled: LabelledSet
) -> None:
    """A fit has no chance in it, or a seeded one."""
    one, two = fits[name], fit(CANDIDATES[name], labelled)
    assert one.keys() == two.keys()
    for way in one:
        np.testing.assert_array_equal(
            one[way].scores(labelled.table), two[way].scores(labelled.table)
        )


def test_what_is_rarely_known_is_left_out(market_table: MakeTable) -> None:
    """A feature that many captures lack would only name the capture."""
    table = market_table()
    table.features[:400, NAMES.index("order_book_imbalance_30s")] = np.nan
    left = set(NAMES) - set(CANDIDATES["forest"].known(table))
    assert left == {"order_book_imbalance_30s"}
    table.features[:] = np.nan
    with pytest.raises(FitError, match="no feature known in 90%"):
        CANDIDATES["forest"].known(table)


@pytest.mark.parametrize("name", FITTED)
def test_a_single_class_is_refused_but_by_forecasts(name: str, market_table: MakeTable) -> None:
    """Without a spike only a forecast learns: from how far each row was from one."""
    table = market_table()
    calm = LabelledSet.of(table, {"BTC-USD": 1.0})
    if CANDIDATES[name].forecast:
        assert set(fit(CANDIDATES[name], calm)) == {"none", "errors"}
    else:
        with pytest.raises(FitError, match="found 0 spikes in 2800 rows, expected both"):
            fit(CANDIDATES[name], calm)


def test_a_few_rows_are_refused(labelled: LabelledSet) -> None:
    """Two minutes hold nothing to learn."""
    with pytest.raises(FitError, match="at least 120 rows"):
        fit(CANDIDATES["har_equal"], labelled.take(np.arange(119)))
