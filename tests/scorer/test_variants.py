"""The core of the scorer: rows and scores become predictions."""

import pytest

from featurizer.features import EXAMPLE, NAMES, REQUIRED
from scorer.prediction import decode, encode, prediction_id
from scorer.variants import (
    Arrived,
    UnknownFeatures,
    predictions_of,
    shadows_of,
    stage_times,
    values_of,
)
from serving.v2 import Scored


@pytest.fixture
def predict(make_row, make_info):
    """Joins one row with one score."""

    def predict(score=0.7, shadows=(), info=None, **row):
        arrived = Arrived(make_row(7, **row), received_us=1, featurized_us=2)
        served = Scored([score], info or make_info("ml"))
        [found] = predictions_of([arrived], served, shadows, scored_us=3)
        return found

    return predict


@pytest.mark.parametrize(("score", "spike"), [(0.59, False), (0.6, True), (0.61, True)])
def test_a_spike_is_a_score_at_or_above_the_threshold(predict, score, spike):
    """The threshold itself counts as a spike."""
    found = predict(score)
    assert (found.spike, found.threshold, found.tau, found.flags) == (spike, 0.6, 0.0012, [])


def test_a_product_without_tau_is_scored_and_flagged(predict):
    """No τ: the score stands, the spike is unknown, the flag says why."""
    found = predict(0.99, product_id="SOL-USD")
    assert (found.score, found.spike, found.threshold, found.tau) == (0.99, None, None, None)
    assert found.flags == ["untrained_product"]


def test_a_threshold_without_tau_is_no_threshold(predict, make_info):
    """Half of what a product needs is nothing."""
    found = predict(0.99, info=make_info("ml", tau={}))
    assert (found.spike, found.threshold) == (None, None)


def test_a_row_of_another_dialect_is_flagged(predict):
    """It is scored all the same."""
    found = predict(0.7, dialect="exchange")
    assert (found.score, found.flags) == (0.7, ["foreign_dialect"])


def test_a_shadow_stands_beside_with_its_own_threshold(predict, make_info):
    """Score, threshold and spike of the shadow are its own."""
    shadow = Scored([0.4], make_info("baseline", threshold={"BTC-USD": 0.3}))
    [found] = predict(0.2, shadows=[shadow]).shadows
    assert (found.model_variant, found.score, found.threshold) == ("baseline", 0.4, 0.3)
    assert (found.spike, found.version) == (True, "baseline-1")


@pytest.mark.parametrize(
    ("row", "notes"),
    [
        ({}, []),
        ({"tau_status": "seeded", "tau": 1e-3}, ["seeded"]),
        ({"tau_status": "provisional", "tau": 1e-3, "returns": 59}, ["provisional", "partial"]),
        ({"tau_status": "established", "tau": 1e-3, "returns": 60}, []),
        ({"beat": True, "dialect": "exchange"}, ["beat", "foreign_dialect"]),
    ],
)
def test_what_to_think_of_stands_beside_a_score(predict, row, notes):
    """Level, returns and kind of the row, where they are not what they are at best."""
    found = predict(0.5, **row)
    assert (found.notes, found.tau_status) == (notes, row.get("tau_status"))


THRESHOLDS = {
    "elevated": {"2": None, "4": 0.4, "8": 0.3, "16": 0.2},
    "spike": {"2": 0.5, "4": 0.3, "8": 0.2, "16": 0.1},
}


@pytest.fixture
def relative(make_info):
    """What a variant in units of τ says of one row."""

    def relative(score=0.7, severe=0.3, variant="ml", **changes):
        units = {"tau": {}, "threshold": {}, "default_tau": 6e-4, "thresholds": THRESHOLDS}
        return Scored([score], make_info(variant, **(units | changes)), [severe])

    return relative


@pytest.fixture
def made(make_row):
    """Joins one row that has a level and 60 returns with what variants say of it."""

    def made(served, *shadows, **row):
        settled = {"tau": 5e-4, "tau_status": "established", "returns": 60}
        arrived = Arrived(make_row(7, **(settled | row)), received_us=1, featurized_us=2)
        [found] = predictions_of([arrived], served, shadows, scored_us=3)
        return found

    return made


def test_in_units_of_the_level_a_spike_is_a_severe_chance_at_its_threshold(made, relative):
    """By θ of 4 a day; τ is the row's, and θ of all budgets stand beside."""
    found = made(relative(severe=0.3))
    assert (found.score, found.severe, found.spike) == (0.7, 0.3, True)
    assert (found.tau, found.threshold, found.thresholds) == (5e-4, 0.3, THRESHOLDS)
    assert (found.reason, found.flags) == (None, [])
    assert made(relative(severe=0.29)).spike is False
    assert decode(encode(found)) == found


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"tau": None, "tau_status": "blind"}, "no_level"),
        ({"tau": None, "tau_status": "overflow"}, "no_level"),
        ({"tau": None, "tau_status": None, "returns": None}, "no_level"),
        ({"tau": None, "tau_status": "thin"}, "thin"),
        ({"returns": 19}, "warming"),
        ({"returns": 20}, None),
    ],
)
def test_what_cannot_be_said_is_null_with_one_reason(made, relative, row, reason):
    """No level, too thin a market, too few returns; a shadow that says nothing is left out."""
    found = made(relative(), relative(variant="baseline"), **row)
    assert found.reason == reason
    for said in (found, *found.shadows):
        unknown = (said.score, said.severe, said.spike)
        assert unknown == ((None,) * 3 if reason else (0.7, 0.3, True))
    assert len(found.shadows) == (reason is None)


def test_a_refused_budget_leaves_a_spike_unknown(made, relative):
    """Without θ of 4 a day nothing is said of it; the chances stand."""
    refused = {"elevated": THRESHOLDS["elevated"], "spike": THRESHOLDS["spike"] | {"4": None}}
    found = made(relative(thresholds=refused))
    assert (found.threshold, found.spike, found.severe) == (None, None, 0.3)


def test_a_model_of_before_has_its_own_level_beside_one_in_units_of_it(made, relative, make_info):
    """Whichever serves, each says what it knows."""
    before = Scored([0.9], make_info("ml"))
    served = made(before, relative(variant="baseline"), tau=None, tau_status="blind")
    assert (served.score, served.tau, served.severe, served.reason) == (0.9, 0.0012, None, None)
    assert (served.shadows, served.thresholds) == ([], None)
    [shadow] = made(relative(), Scored([0.2], make_info("baseline"))).shadows
    assert (shadow.score, shadow.threshold, shadow.thresholds) == (0.2, 0.6, None)


@pytest.mark.parametrize(("age_us", "late"), [(5_000_000, False), (5_000_001, True)])
def test_a_score_that_comes_too_late_says_so(make_row, make_info, age_us, late):
    """Five seconds from receipt to score are in time, more are no forecast."""
    arrived = Arrived(make_row(7, after_break=True), received_us=10, featurized_us=10)
    served = Scored([0.9], make_info("ml"))
    [found] = predictions_of([arrived], served, [], scored_us=10 + age_us)
    assert (found.late, found.spike, found.after_break) == (late, True, True)


def test_the_id_is_made_from_row_and_model(predict, make_info):
    """The same row by the same model has the same id, by another model another."""
    first, again = predict(0.2), predict(0.2, shadows=[Scored([0.1], make_info("baseline"))])
    assert first.prediction_id == again.prediction_id
    assert first.prediction_id == prediction_id(first.row_id, "ml-digest")
    other = predict(0.2, info=make_info("ml", digest="x"))
    assert other.prediction_id != first.prediction_id


def test_all_of_the_row_and_the_times_are_kept(predict):
    """What later stages need is in the prediction, and its JSON reads back."""
    found = predict(0.5)
    assert (found.received_us, found.featurized_us, found.scored_us) == (1, 2, 3)
    assert (found.feed, found.product_id, found.time_us, found.mid) == ("feed", "BTC-USD", 7, 100)
    assert found.realized_volatility_60s == pytest.approx(7e-5)
    assert decode(encode(found)) == found


def test_values_stand_in_the_order_of_names(make_row):
    """Whatever the order in the row's JSON."""
    row = make_row(features=dict(reversed(EXAMPLE.items())))
    assert values_of(row) == (*(EXAMPLE[name] for name in NAMES), None)


def test_what_came_later_may_be_absent(make_row):
    """A row of before names the features of its time; of a later one nothing is taken."""
    features = {name: EXAMPLE[name] for name in REQUIRED}
    expected = (*(features.get(name) for name in NAMES), None)
    assert values_of(make_row(features=features)) == expected
    assert values_of(make_row(features=features | {"moon_phase_60s": 1.0})) == expected


def test_the_level_of_a_row_stands_after_its_values(make_row):
    """Where a model in units of τ looks for it."""
    assert values_of(make_row(tau=5e-4))[len(NAMES) :] == (5e-4,)


def test_a_row_of_other_features_is_refused(make_row):
    """Missing and unknown features are both listed."""
    features = {name: 0.1 for name in NAMES if name != "log_return_60s"} | {"price": 1.0}
    with pytest.raises(UnknownFeatures, match=r"missing \['log_return_60s'\].*\['price'\]"):
        values_of(make_row(features=features))


@pytest.mark.parametrize(
    ("served", "wanted", "expected"),
    [
        ("ml", None, ("baseline",)),
        ("baseline", None, ("ml",)),
        ("ml", (), ()),
        ("ml", ("ml", "baseline"), ("baseline",)),
        ("ml", ("ml",), ()),
    ],
)
def test_shadows_are_the_wanted_ones_that_do_not_serve(served, wanted, expected):
    """By default all others; the one that serves is never its own shadow."""
    assert shadows_of(served, wanted) == expected


@pytest.mark.parametrize("headers", [{}, {"received_us": "", "featurized_us": "-1"}])
def test_without_headers_the_broker_says_when(headers):
    """Missing or strange times are the time when the broker took the record."""
    assert stage_times(headers, 1_234) == (1_234_000, 1_234_000)
