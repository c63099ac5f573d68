"""A table of metrics becomes collectors on the registry that is given."""

from math import isnan

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from plumbing.metrics import (
    BUCKETS,
    Label,
    MetricTable,
    counter,
    gauge,
    histogram,
    number,
    tables_of,
)

PRODUCT = Label("product")
KIND = Label("kind", ("good", "bad"))


class Table(MetricTable):
    """One row of each kind, with labels known, known to the process, and open."""

    frames = counter("feed_frames_total", "Frames read", KIND)
    losses = counter("feed_losses_total", "Frames lost", PRODUCT, KIND)
    age = gauge("feed_age_seconds", "Time since the last frame", PRODUCT)
    depth = gauge("feed_queue_depth", "Frames that wait")
    delay = histogram("feed_delay_seconds", "Time until a frame was read")
    batch = histogram("feed_batch_records", "Records of a batch")


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry of the test's own."""
    return CollectorRegistry()


def test_a_row_is_a_collector_under_its_attribute(registry: CollectorRegistry) -> None:
    """What is set on the instance is scraped under the row's name."""
    table = Table(registry)
    table.frames.labels("good").inc(2)
    table.depth.set(7)
    assert registry.get_sample_value("feed_frames_total", {"kind": "good"}) == 2
    assert registry.get_sample_value("feed_queue_depth") == 7


def test_two_registries_share_nothing(registry: CollectorRegistry) -> None:
    """Each instance has collectors of its own, and the class keeps the rows."""
    Table(registry).depth.set(7)
    other = CollectorRegistry()
    Table(other)
    assert other.get_sample_value("feed_queue_depth") == 0
    assert Table.depth.name == "feed_queue_depth"


def test_series_of_known_values_stand_at_zero_from_the_start(registry: CollectorRegistry) -> None:
    """Known to the table or given by the process; a label with open values waits for the first."""
    Table(registry)
    assert registry.get_sample_value("feed_frames_total", {"kind": "bad"}) == 0
    labels = {"product": "BTC-USD", "kind": "bad"}
    assert registry.get_sample_value("feed_losses_total", labels) is None
    given = CollectorRegistry()
    Table(given, product=["BTC-USD"])
    assert given.get_sample_value("feed_losses_total", labels) == 0
    assert given.get_sample_value("feed_age_seconds", {"product": "BTC-USD"}) == 0


def test_buckets_and_unit_follow_from_the_name(registry: CollectorRegistry) -> None:
    """Seconds and counts have one table of buckets; what has no unit is told without one."""
    Table(registry)
    for name, unit in (("feed_delay_seconds", "seconds"), ("feed_batch_records", "records")):
        for bound in BUCKETS[unit]:
            labels = {"le": str(float(bound))}
            assert registry.get_sample_value(f"{name}_bucket", labels) == 0
    units = {name: row.unit for name, row in Table.table().items()}
    assert units["age"] == units["delay"] == "seconds" and units["depth"] == units["frames"] == ""


def test_the_exposition_is_open_metrics(registry: CollectorRegistry) -> None:
    """A strict parser takes it, with kinds, units and meanings of the rows."""
    Table(registry, product=["BTC-USD"])
    text = generate_latest(registry).decode()
    found = {family.name: family for family in text_string_to_metric_families(text)}
    assert {name + "_total" * (each.type == "counter") for name, each in found.items()} == {
        row.name for row in Table.table().values()
    }
    delay = found["feed_delay_seconds"]
    assert (delay.type, delay.unit) == ("histogram", "seconds")
    assert delay.documentation == "Time until a frame was read"


def test_tables_of_a_module_are_its_own() -> None:
    """What a module imports, the base among it, is not listed."""
    assert [table.__name__ for table in tables_of("monitor.kafka.metrics")] == [
        "LookMetrics",
        "KafkaMetrics",
    ]


def test_the_unknown_is_no_number() -> None:
    """A gauge shows NaN, never 0, where the value is not known."""
    assert isnan(number(None)) and number(0.5) == 0.5 and number(True) == 1.0
