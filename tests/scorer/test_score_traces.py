"""The spans of a batch: each row has its own, the request to the model stands in one of them."""

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from plumbing.tracing.otel import Recorder

FIRST = "00-" + "a" * 32 + "-" + "1" * 16 + "-01"
SECOND = "00-" + "b" * 32 + "-" + "2" * 16 + "-01"
LEFT_OUT = "00-" + "c" * 32 + "-" + "3" * 16 + "-00"


@pytest.fixture
def kept(monkeypatch):
    """What was recorded, in memory; closing does not give it up on a machine that stands still."""
    monkeypatch.setattr("plumbing.tracing.otel.CLOSE_SECONDS", 60.0)
    return InMemorySpanExporter()


def rows(bench, make_row, *parents):
    """Rows of one poll, each with a trace of its own."""
    bench.consumer.batches.append([])
    for number, parent in enumerate(parents):
        bench.rows(make_row(number), traceparent=parent, received_us="1", featurized_us="2")
        bench.consumer.batches[0] += bench.consumer.batches.pop()


def test_rows_have_spans_of_their_own_and_point_to_the_request(bench, make_row, kept):
    """Each trace goes on by score and publish; the second points to the first, which has it."""
    tracer = Recorder("scorer", kept)
    scorer = bench(tracer=tracer)
    rows(scorer, make_row, LEFT_OUT, FIRST, SECOND)
    scorer.worker.turn()
    tracer.close()
    spans = kept.get_finished_spans()
    named = {(span.name, f"{span.context.trace_id:032x}"[0]): span for span in spans}
    assert named.keys() == {("score", "a"), ("publish", "a"), ("score", "b"), ("publish", "b")}
    assert named["publish", "b"].parent.span_id == named["score", "b"].context.span_id
    [link] = named["score", "b"].links
    assert link.context.span_id == named["score", "a"].context.span_id
    assert not named["score", "a"].links
    sent = [record.headers["traceparent"] for record in scorer.sent]
    assert [header[-2:] for header in sent] == ["00", "01", "01"]
    assert sent[2].split("-")[2] == f"{named['publish', 'b'].context.span_id:016x}"


def test_every_stage_is_measured(bench, make_row):
    """Scored, published and the whole, each from the wall clocks that came with the row."""
    scorer = bench()
    scorer.rows(make_row(1), received_us="1000000", featurized_us="2000000")
    scorer.worker.turn()
    found = {
        stage: scorer.sample("scorer_stage_duration_seconds_sum", stage=stage)
        for stage in ("featurized_to_scored", "scored_to_published", "tick_to_prediction")
    }
    assert found == {
        "featurized_to_scored": 1.0,
        "scored_to_published": 0.0,
        "tick_to_prediction": 2.0,
    }


def test_the_last_score_is_shown_by_variant_and_product(bench, make_row):
    """The served one and its shadow; a product without threshold makes no series."""
    scorer = bench()
    scorer.rows(make_row(1), make_row(500), make_row(1, product_id="SOL-USD"))
    scorer.worker.turn()
    gauge = "scorer_last_score"
    served = scorer.sample(gauge, variant="ml", product="BTC-USD")
    shadow = scorer.sample(gauge, variant="baseline", product="BTC-USD")
    assert 0.5 < shadow < served
    assert scorer.registry.get_sample_value(gauge, {"variant": "ml", "product": "SOL-USD"}) is None
