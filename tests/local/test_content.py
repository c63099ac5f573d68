"""Counting by content, on a generated market taken through the real engine."""

import json
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from featurizer.engine import FeatureEngine
from featurizer.row import FeatureRow
from featurizer.row import encode as encode_row
from ingestor.continuity import events
from ingestor.tick import Beat, Event, Tick
from ingestor.tick import encode as encode_event
from local.content import Content
from scorer.prediction import Prediction, prediction_id
from scorer.prediction import encode as encode_prediction
from simulator.market import frames

START = 1_704_067_200_000_000
PRODUCTS = ("BTC-USD", "ETH-USD")
SECONDS = 200


def market() -> Iterator[Event]:
    """The events of a generated market, as an ingestor writes them."""
    return events(frames(7, PRODUCTS, START, SECONDS), "market-7@now")


def prediction(row: FeatureRow, scored_us: int = 3) -> Prediction:
    """A prediction of a row, scored at that time."""
    return Prediction(
        prediction_id=prediction_id(row.row_id, "digest"),
        row_id=row.row_id,
        feed=row.feed,
        product_id=row.product_id,
        time_us=row.time_us,
        trade_id=row.trade_id,
        dialect=row.dialect,
        mid=row.mid,
        coverage=row.coverage,
        realized_volatility_60s=None,
        score=0.25,
        spike=None,
        threshold=None,
        tau=None,
        model_variant="ml",
        version="1",
        digest="digest",
        features_digest="f",
        shadows=[],
        flags=[],
        received_us=1,
        featurized_us=2,
        scored_us=scored_us,
    )


@pytest.fixture
def run() -> tuple[list[Event], list[FeatureRow], list[Prediction]]:
    """What a faultless run writes."""
    engine = FeatureEngine()
    written = list(market())
    rows = [row for event in written if (row := engine.update(event)) is not None]
    return written, rows, [prediction(row) for row in rows]


def report_of(
    ticks: list[Event],
    rows: list[FeatureRow],
    found: list[Prediction],
    digest: str | None = None,
) -> dict:
    """What is counted of these records; with a digest only its predictions count."""
    content = Content(frames(7, PRODUCTS, START, SECONDS), digest)
    for event in ticks:
        content.take("ticks", encode_event(event))
    for row in rows:
        content.take("features", encode_row(row))
    for each in found:
        content.take("predictions", encode_prediction(each))
    return content.report()


def test_a_faultless_run_is_whole(run) -> None:
    """All ticks of the market, a row of each and a prediction of each row, none twice."""
    report = report_of(*run)
    assert report["whole"]
    ticks, beats = (sum(isinstance(event, kind) for event in run[0]) for kind in (Tick, Beat))
    made = {"ticks": ticks, "features": len(run[1]), "predictions": len(run[1])}
    for kind, there in made.items():
        assert (report[kind]["ids"], report[kind]["repeats"]) == (there, 0)
        assert report[kind]["shown"] == {}
    assert report["beats"]["ids"] == beats > 0
    assert report["breaks"] == len(run[0]) - ticks - beats


def test_equal_repeats_are_counted_and_no_fault(run) -> None:
    """A batch that came twice, received and scored at other times, loses nothing."""
    ticks, rows, found = run
    again = [replace(event, received_us=event.received_us + 9) for event in ticks[40:60]]
    later = [replace(each, scored_us=99, featurized_us=98) for each in found[:7]]
    report = report_of(ticks[:60] + again + ticks[60:], rows + rows[:5], found + later)
    assert report["whole"]
    assert [report[kind]["repeats"] for kind in ("features", "predictions")] == [5, 7]
    assert report["ticks"]["repeats"] == sum(isinstance(event, Tick) for event in again)
    kinds = ("ticks", "features", "predictions")
    assert [report[kind]["identical"] for kind in kinds] == [0, 5, 0]  # only rows have no clock


@pytest.mark.parametrize("kind", ["ticks", "beats", "features", "predictions"])
def test_what_is_missing_is_counted_and_named(run, kind: str) -> None:
    """One record that never came makes the run not whole, and it is said which."""
    ticks, rows, found = (list(each) for each in run)
    victim = {"ticks": ticks, "beats": ticks, "features": rows, "predictions": found}[kind]
    sort = {"ticks": Tick, "beats": Beat}.get(kind, object)
    gone = victim.pop(max(i for i, each in enumerate(victim) if isinstance(each, sort)))
    report = report_of(ticks, rows, found)
    assert not report["whole"]
    assert report[kind]["missing"] == 1
    assert f"{gone.product_id}:{gone.time_us}" in report[kind]["shown"]["missing"][0]


def test_only_the_named_models_predictions_count(run) -> None:
    """Every row needs the prediction of that model; one of another is not expected."""
    ticks, rows, found = run
    assert report_of(ticks, rows, found, "digest")["whole"]
    strange = replace(found[0], prediction_id="of another", digest="other")
    report = report_of(ticks, rows, [strange, *found[1:]], "digest")
    assert not report["whole"]
    assert report["predictions"]["shown"] == {
        "missing": [found[0].prediction_id],
        "unexpected": ["of another"],
    }
    assert report_of(ticks, rows, [strange, *found[1:]])["whole"]


def of_before(row: FeatureRow) -> bytes:
    """A row as the first release writes it."""
    written = json.loads(encode_row(row))
    for name in ("tau", "tau_status", "returns", "after_break", "beat", "appended"):
        del written[name]
    return json.dumps({**written, "schema_version": 1}).encode()


def test_across_releases_rows_are_held_against_what_both_compute(run) -> None:
    """Rows of before are no fault, nor is it that there are none of Beats; a changed one is."""
    ticks, rows, found = run
    theirs = {row.row_id for row in rows[:-20] if not row.beat}
    assert len(theirs) < len(rows) - 20
    for changed, whole in (({}, True), ({"spread_mean_60s": 0.5}, False)):
        content = Content(frames(7, PRODUCTS, START, SECONDS), across=True)
        for event in ticks:
            content.take("ticks", encode_event(event))
        for row in rows[:-20]:
            if row.row_id in theirs:
                content.take("features", of_before(row))
        for row in rows[-20:]:
            told = replace(row, features=row.features | changed)
            content.take("features", encode_row(told))
        for each in found[-20:] + [each for each in found[:-20] if each.row_id in theirs]:
            content.take("predictions", encode_prediction(each))
        assert content.report()["whole"] is whole


def test_a_row_that_differs_in_one_bit_is_found(run) -> None:
    """Also where it is the only one with its id, and as a repeat."""
    ticks, rows, found = run
    wrong = replace(rows[-1], features=rows[-1].features | {"spread_mean_60s": 0.5})
    for given in ([*rows[:-1], wrong], [*rows, wrong]):
        report = report_of(ticks, given, found)
        assert not report["whole"] and report["features"]["differing"] == 1


def test_a_prediction_repeated_with_another_score_differs(run) -> None:
    """The same row and model must give the same bits."""
    ticks, rows, found = run
    report = report_of(ticks, rows, [*found, replace(found[3], score=0.250001)])
    assert not report["whole"] and report["predictions"]["differing"] == 1


def test_the_digest_of_the_rows_knows_neither_feed_nor_order(run) -> None:
    """Two runs of the same market compare by one number; another row changes it."""
    ticks, rows, _ = run
    renamed = [
        replace(row, feed="other", row_id=row.row_id.replace(row.feed, "other")) for row in rows
    ]
    digests = [
        report_of(ticks, given, [])["rows_sha256"] for given in (rows, renamed[::-1], rows[1:])
    ]
    assert digests[0] == digests[1] != digests[2]
