"""Comparisons one after the other, in memory: what one has read the next one goes on with."""

from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry

from drift.comparison import Known, Measured
from drift.config import Settings
from drift.metrics import DriftMetrics
from drift.service import Drift
from featurizer.features import NAMES
from serving.artifact import write_folder
from serving.relative import Chances, Relative
from tests.drift.world import Topics, feature_row
from tests.monitor.world import LogReader

MODEL = Relative("ml", ((-1.0, 2.0),), ((-3.0, 2.0),), Chances(0.1, 0.01))
SAID = MODEL.chances([1e-3] * len(NAMES), 1e-3)
THRESHOLDS = {alarm: dict.fromkeys(("2", "4", "8", "16"), 0.5) for alarm in ("elevated", "spike")}


def near(window: Known, reference: Known, thresholds: Mapping[str, float]) -> Measured:
    """Every column is where its reference is."""
    return dict.fromkeys(thresholds, 0.1), b"<html>"


def written(root: Path) -> str:
    """A model in units of levels, by its digest."""
    golden = {"rows": [[1e-3] * len(NAMES)], "tau": [1e-3], "scores": [SAID.score]}
    card = {"dialect": "advanced", "default_tau": 1e-3, "thresholds": THRESHOLDS}
    card["golden"] = golden | {"severe": [SAID.severe]}
    return write_folder(root / "ml", variant="ml", linear=MODEL, card=card).digest


def hours(first: int, last: int, digest: str, **more: str) -> Topics:
    """Topics that hold these hours alone, a row a minute, no two of them alike."""
    topics = Topics()
    for minute in range(60 * first, 60 * last):
        features = dict.fromkeys(NAMES, 1e-3 + 1e-9 * minute)
        topics.whole(feature_row(60 * minute, features=features, **more), digest=digest)
    return topics


def test_a_day_is_gathered_from_one_comparison_to_the_next(tmp_path: Path) -> None:
    """Rows that the topic no longer holds still count, until another feed begins."""
    digest, registry = written(tmp_path), CollectorRegistry()
    topics = iter(
        [
            hours(0, 8, digest),
            hours(7, 15, digest),
            hours(14, 15, digest),
            hours(15, 16, digest, feed="next"),
        ]
    )
    drift = Drift(
        Settings(models=tmp_path),
        lambda: LogReader(next(topics), most=500),
        DriftMetrics(registry),
        near,
        lambda: 1.0,
    )
    found = [drift.run().findings[0].comparison for _ in range(4)]
    assert [(each.state, each.rows) for each in found] == [
        ("too_few_rows", 8 * 60),
        ("compared", 15 * 60),
        ("compared", 15 * 60),
        ("too_few_rows", 60),
    ]
    assert found[1].detected is False and found[1].html is not None
