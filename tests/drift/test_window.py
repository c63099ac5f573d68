"""The last window is found by content at the ends of the topics.

One row a minute, the last of each; the window ends with the newest row of the product::

    |‹──────────── 3,600 s of event time, one feed ───────────›|
    ···x··x|··x···x|·····································|··x·X   kept: the last x of each minute
"""

from typing import Any

import pytest

from drift.comparison import SCORE, WINDOW_SECONDS
from drift.window import LEAST_LABELS, Bounds, Window, read_windows
from featurizer.features import NAMES
from tests.drift.world import FIRST, Topics, feature_row, scored, settled
from tests.monitor.world import DIGEST, SECOND, LogReader

BTC = "BTC-USD"


def windows(topics: Topics, records: int = 400_000) -> dict[str, Window]:
    """Read all windows."""
    return read_windows(LogReader(topics, most=500), Bounds(records))


def seconds_of(window: Window) -> list[float]:
    """Seconds after ``FIRST`` of the kept rows."""
    return [(row.time_us - FIRST) / SECOND for _, row in sorted(window.rows.items())]


def test_the_last_row_of_each_minute_is_kept() -> None:
    """Of all rows of a minute the last one counts, whatever stands between."""
    topics = Topics()
    for at in (0, 10, 59.5, 60, 119.999, 130):
        topics.whole(feature_row(at))
    assert seconds_of(windows(topics)[BTC]) == [59.5, 119.999, 130]


def test_a_repeat_changes_nothing() -> None:
    """A row that stands twice, later than its followers, is not the last of its minute."""
    topics = Topics()
    for at in (0, 10, 20, 10):
        topics.whole(feature_row(at))
    assert seconds_of(windows(topics)[BTC]) == [20]


def test_the_window_is_an_hour_of_event_time() -> None:
    """Older rows are out, the first second inside is in."""
    topics = Topics()
    for at in range(0, WINDOW_SECONDS + 600, 30):
        topics.row(feature_row(at))
    kept = seconds_of(windows(topics)[BTC])
    assert len(kept) == 60
    assert (kept[0], kept[-1]) == (570 + 60, WINDOW_SECONDS + 570)


def test_another_feed_ends_the_window() -> None:
    """Rows of the feed before do not count, whatever their times are."""
    topics = Topics()
    for at in range(0, 600, 60):
        topics.whole(feature_row(at, feed="before"))
    for at in range(300, 480, 60):
        topics.whole(feature_row(at))
    window = windows(topics)[BTC]
    assert window.feed == "f" and seconds_of(window) == [300, 360, 420]
    assert len(window.scored) == 3 and len(window.labels) == 3


def test_rows_after_a_break_wait_for_full_coverage() -> None:
    """The reference has no rows with seconds missing, so the window has none."""
    topics = Topics()
    topics.row(feature_row(0))
    topics.row(feature_row(60, coverage=0.4))
    assert seconds_of(windows(topics)[BTC]) == [0]


def test_products_have_windows_of_their_own() -> None:
    """Two products in one partition, one of them an hour behind, keep apart."""
    topics = Topics(partitions=1)
    for at in range(0, 300, 60):
        topics.whole(feature_row(at, product="ETH-USD"))
    for at in range(7_200, 7_800, 60):
        topics.whole(feature_row(at))
    found = windows(topics)
    assert (len(found[BTC].rows), len(found["ETH-USD"].rows)) == (10, 5)


def test_scores_of_another_model_are_unknown() -> None:
    """Only the model that scored the newest row gives scores; features count in any case."""
    topics = Topics()
    topics.whole(feature_row(0), score=0.1, digest="a" * 64)
    topics.whole(feature_row(60), score=0.2)
    topics.row(feature_row(120))
    window = windows(topics)[BTC]
    newest = window.newest
    assert newest is not None and newest.digest == DIGEST
    columns = window.columns(DIGEST)
    assert columns[SCORE] == [None, 0.2, None]
    assert columns[NAMES[0]] == [0.0, 60.0, 120.0]


def test_prevalence_counts_one_label_a_second() -> None:
    """Only the last row of a second counts, and none without a label or with seconds missing."""
    topics = Topics()
    for at in range(LEAST_LABELS):
        topics.whole(feature_row(at), at % 4 == 0)
        topics.outcome(settled(feature_row(at + 0.5), True, last_of_second=False))
    topics.outcome(settled(feature_row(LEAST_LABELS - 2.5), None))
    topics.outcome(settled(feature_row(LEAST_LABELS - 1.5), True, coverage=0.5))
    window = windows(topics)[BTC]
    assert len(window.labels) == LEAST_LABELS and window.prevalence == 0.25


@pytest.mark.parametrize(
    "level", [{"tau_status": "seeded"}, {"tau_status": None, "tau": None}, {"tau": 2e-3}]
)
def test_prevalence_needs_an_established_level(level: dict[str, Any]) -> None:
    """Under a seed, without a level, or by the τ of an older model the share is unknown."""
    topics = Topics()
    for at in range(2 * LEAST_LABELS):
        topics.whole(feature_row(at, **(level if at < LEAST_LABELS else {})), at >= LEAST_LABELS)
    window = windows(topics)[BTC]
    assert len(window.labels) == LEAST_LABELS and window.prevalence == 1.0
    for at in range(LEAST_LABELS):
        topics.whole(feature_row(2 * LEAST_LABELS + at, feed="next", **level), True)
    assert windows(topics)[BTC].prevalence is None


def test_few_labels_are_no_prevalence() -> None:
    """Below ten minutes of labels the share of spikes is unknown, not 0."""
    topics = Topics()
    for at in range(LEAST_LABELS - 1):
        topics.whole(feature_row(at))
    assert windows(topics)[BTC].prevalence is None


def test_a_bound_shortens_the_window() -> None:
    """With fewer records than a window has, the newest ones are read."""
    topics = Topics(partitions=1)
    for at in range(3_600):
        topics.row(feature_row(at))
    kept = seconds_of(windows(topics, records=0)[BTC])
    assert kept[-1] == 3_599 and 30 < len(kept) < 40


def test_what_cannot_be_read_is_left_out() -> None:
    """A malformed record in each topic changes nothing."""
    topics = Topics(partitions=1)
    topics.whole(feature_row(0))
    for topic in ("features", "predictions", "outcomes"):
        topics.append(topic, BTC, b"{not json")
    window = windows(topics)[BTC]
    assert len(window.rows) == len(window.scored) == len(window.labels) == 1


def test_empty_topics_have_no_windows() -> None:
    """Without a row there is no product."""
    assert windows(Topics()) == {}


def test_a_prediction_of_a_row_read_later_is_no_end() -> None:
    """Predictions that came while the rows were read do not end the search."""
    topics = Topics(partitions=1)
    for at in range(0, 300, 60):
        topics.whole(feature_row(at))
    for at in range(300, 600):
        topics.prediction(scored(feature_row(at)))
    assert len(windows(topics)[BTC].scored) == 5
