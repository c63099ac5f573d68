"""The topics, stated once."""

from ingestor.topics import (
    CONTROL,
    DAY_MS,
    FEATURES,
    FOREVER_MS,
    OUTCOMES,
    PREDICTIONS,
    TICKS,
    TOPICS,
)


def test_a_topic_stands_once() -> None:
    """All that there are, each by a name of its own."""
    names = [topic.name for topic in TOPICS]
    assert names == sorted(set(names), key=names.index)
    assert set(names) == {
        "ticks",
        "feed-events",
        "features",
        "predictions",
        "outcomes",
        "control",
        "dead-letters",
    }


def test_what_is_joined_by_product_has_equal_partitions() -> None:
    """Keyed by product, so a product's ticks and predictions are in partitions of one number."""
    assert {topic.partitions for topic in (TICKS, FEATURES, PREDICTIONS, OUTCOMES)} == {12}


def test_the_served_variant_is_never_forgotten() -> None:
    """``control`` keeps its last word for ever, in one partition, so that it has one order."""
    assert (CONTROL.compacted, CONTROL.retention_ms, CONTROL.partitions) == (True, FOREVER_MS, 1)
    assert [topic for topic in TOPICS if topic.compacted] == [CONTROL]


def test_predictions_outlast_the_ticks_they_are_judged_by() -> None:
    """What is judged is kept longer than what it was made of, and all of it for days."""
    assert DAY_MS <= TICKS.retention_ms < PREDICTIONS.retention_ms == OUTCOMES.retention_ms
