"""What is said of each product, also where nothing can be compared."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from drift.comparison import STATES, Known, Measured
from drift.findings import STALE_MS, Finding, findings_of
from drift.inputs import NAMES as INPUTS
from drift.metrics import DriftMetrics
from drift.models import PromotedModels, read_models
from drift.page import page_of, summary_of
from drift.window import Bounds, Window, read_windows
from featurizer.features import NAMES
from serving.artifact import write_folder
from serving.linear import Linear
from serving.reference import reference_of
from serving.relative import Chances, Relative
from tests.drift.world import Topics, feature_row
from tests.monitor.world import LogReader

BTC = "BTC-USD"
RATES = Chances(0.1, 0.01)
MODEL = Linear("baseline", NAMES[:1], (0.0,), (0.0,), (1.0,), (1.0,), 0.0)


def folder(root: Path, name: str = "baseline", of_rows: int = 3_600, **more: Any) -> str:
    """Write a model folder with a reference of one product, and give its digest."""
    rows = [[float(at % 60)] * len(NAMES) for at in range(of_rows)]
    spikes = [at % 10 == 0 for at in range(of_rows)]
    made = reference_of([BTC] * of_rows, rows, [0.5] * of_rows, spikes)
    card = {
        "dialect": "advanced",
        "tau": {BTC: 1e-3},
        "threshold": {BTC: 0.5},
        "golden": {"rows": [[0.0] * len(NAMES)], "scores": [0.5]},
        "data": [{"last": "2026-04-05T22:55:13.000000000Z"}, {"last": "2026-04-04T00:00:00Z"}],
    }
    extra = {"reference": made} | more
    info = write_folder(root / name, variant="baseline", linear=MODEL, card=card, **extra)
    return info.digest


def apart(window: Known, reference: Known, thresholds: Mapping[str, float]) -> Measured:
    """Every column is far from its reference."""
    return dict.fromkeys(thresholds, 5.0), b"<html>"


def near(window: Known, reference: Known, thresholds: Mapping[str, float]) -> Measured:
    """Every column is where its reference is."""
    return dict.fromkeys(thresholds, 0.1), b"<html>"


def window_of(digest: str, minutes: int = 60, predicted: bool = True) -> dict[str, Window]:
    """The window of so many minutes of rows scored by a model."""
    topics = Topics()
    for minute in range(minutes):
        row = feature_row(60 * minute)
        if predicted:
            topics.whole(row, digest=digest)
        else:
            topics.row(row)
    return read_windows(LogReader(topics, most=500), Bounds())


def only(windows: Mapping[str, Window], models: PromotedModels, now_ms: int = 1) -> Finding:
    """The one finding."""
    (found,) = findings_of(windows, models, now_ms, apart)
    return found


def test_a_product_is_compared_with_the_model_that_scored_it(tmp_path: Path) -> None:
    """Of several folders the one whose digest stands in the predictions counts."""
    folder(tmp_path, "other", of_rows=3_000)
    digest = folder(tmp_path)
    found = only(window_of(digest), read_models(tmp_path))
    assert found.comparison.state == "compared" and found.comparison.detected
    assert found.model is not None and found.model.info.digest == digest
    assert found.training_prevalence == 0.1


@pytest.mark.parametrize(
    ("state", "digest", "window", "now_ms"),
    [
        ("other_model", "0" * 64, {}, 1),
        ("no_predictions", None, {"predicted": False}, 1),
        ("too_few_rows", None, {"minutes": 44}, 1),
        ("stale", None, {}, STALE_MS + 10**6),
    ],
)
def test_what_cannot_be_compared_says_why(
    tmp_path: Path, state: str, digest: str | None, window: dict[str, Any], now_ms: int
) -> None:
    """Each reason is a state of its own, without a verdict."""
    own = folder(tmp_path)
    found = only(window_of(digest or own, **window), read_models(tmp_path), now_ms)
    assert (found.comparison.state, found.comparison.detected) == (state, None)
    assert found.comparison.columns == {}


RELATIVE = Relative("ml", ((-1.0, 2.0), (-1.0, 1.0, 1.0)), ((-3.0, 2.0), (-3.0, 1.0, 1.0)), RATES)
THRESHOLDS = {alarm: dict.fromkeys(("2", "4", "8", "16"), 0.5) for alarm in ("elevated", "spike")}
SAID = RELATIVE.chances([1e-3] * len(NAMES), 1e-3)


@pytest.mark.parametrize(
    ("status", "minutes", "state"),
    [
        ("established", 720, "compared"),
        ("established", 700, "too_few_rows"),
        ("seeded", 720, "no_level"),
    ],
)
def test_a_model_in_units_of_levels_is_compared_by_its_inputs(
    tmp_path: Path, status: str, minutes: int, state: str
) -> None:
    """Its windows of a day, for any product, without rows of that product in its folder."""
    golden = {"rows": [[1e-3] * len(NAMES)], "tau": [1e-3], "scores": [SAID.score]}
    card = {"dialect": "advanced", "default_tau": 1e-3, "thresholds": THRESHOLDS}
    card["golden"] = golden | {"severe": [SAID.severe]}
    digest = write_folder(tmp_path / "ml", variant="ml", linear=RELATIVE, card=card).digest
    topics = Topics()
    for minute in range(minutes):
        topics.whole(feature_row(60 * minute, "ANY-USD", tau_status=status), digest=digest)
    windows = read_windows(LogReader(topics, most=500), Bounds())
    models = read_models(tmp_path)
    assert models.by_digest[digest].windows == 2
    found = only(windows, models).comparison
    assert (found.product, found.state, found.seconds) == ("ANY-USD", state, 86_400)
    assert tuple(found.columns) == (INPUTS[:2] if state == "compared" else ())
    page = page_of([only(windows, models)], models, 0).decode()
    assert ("volatility_300s_by_level" in page) is (state == "compared")
    registry = CollectorRegistry()
    DriftMetrics(registry).show([only(windows, models)], 1.0)
    labels = {"product": "ANY-USD", "column": INPUTS[1]}
    value = registry.get_sample_value("monitor_drift_value", labels)
    assert value == 5.0 if state == "compared" else value != value


def test_a_folder_without_a_reference_says_so(tmp_path: Path) -> None:
    """A model from before the reference is known, but gives nothing to compare with."""
    digest = folder(tmp_path, reference=None)
    found = only(window_of(digest), read_models(tmp_path))
    assert (found.comparison.state, found.comparison.rows) == ("no_reference", 60)
    assert found.model is not None


def test_a_product_without_rows_is_named(tmp_path: Path) -> None:
    """What the reference names and the topic lacks is not passed over."""
    folder(tmp_path)
    assert only({}, read_models(tmp_path)).comparison.state == "no_rows"


def test_a_damaged_folder_is_refused_and_the_others_count(tmp_path: Path) -> None:
    """One changed byte: the folder is named with the reason, the rest goes on."""
    digest = folder(tmp_path)
    folder(tmp_path, "spoilt", of_rows=3_000)
    (tmp_path / "spoilt" / "model.json").write_text("{}")
    models = read_models(tmp_path)
    assert set(models.by_digest) == {digest}
    assert "model.json has SHA-256" in models.refused["spoilt"]


def test_the_age_of_a_model_is_that_of_its_newest_data(tmp_path: Path) -> None:
    """The end of the newest capture counts, and no log means no promotion."""
    digest = folder(tmp_path)
    models = read_models(tmp_path)
    assert models.by_digest[digest].trained_us == 1_775_429_713_000_000
    assert models.promoted_us is None


def sample(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    """One value, None where there is no such series."""
    return registry.get_sample_value(f"monitor_{name}", labels)


def test_metrics_of_a_verdict(tmp_path: Path) -> None:
    """Share, verdict, values, thresholds, rows and prevalence stand as gauges."""
    registry = CollectorRegistry()
    metrics = DriftMetrics(registry)
    models = read_models(tmp_path) if folder(tmp_path) else PromotedModels()
    digest = next(iter(models.by_digest))
    metrics.show_models(models)
    metrics.show(findings_of(window_of(digest), models, 1, near), 50.0)
    assert sample(registry, "drift_detected", product=BTC) == 0.0
    assert sample(registry, "drift_share", product=BTC) == 0.0
    assert sample(registry, "drift_value", product=BTC, column="score") == 0.1
    assert sample(registry, "drift_rows", product=BTC, side="window") == 60
    assert sample(registry, "drift_prevalence", product=BTC, kind="training") == 0.1
    assert sample(registry, "drift_products_compared") == 1
    assert sample(registry, "drift_last_run_timestamp_seconds") == 50.0
    assert sample(registry, "model_trained_timestamp_seconds", variant="baseline") == 1_775_429_713


def test_metrics_without_a_verdict_are_not_a_healthy_zero(tmp_path: Path) -> None:
    """Where nothing was compared, share, verdict and values are NaN, and the state says why."""
    registry = CollectorRegistry()
    metrics = DriftMetrics(registry)
    digest = folder(tmp_path)
    models = read_models(tmp_path)
    metrics.show(findings_of(window_of(digest), models, 1, near), 1.0)
    metrics.show(findings_of(window_of(digest, minutes=10), models, 1, near), 2.0)
    for name, more in (("detected", {}), ("share", {}), ("value", {"column": "score"})):
        value = sample(registry, f"drift_{name}", product=BTC, **more)
        assert value is not None and value != value, name
    assert sample(registry, "drift_prevalence", product=BTC, kind="live") != 0.0
    holding = [s for s in STATES if sample(registry, "drift_state", product=BTC, state=s)]
    assert holding == ["too_few_rows"]
    assert sample(registry, "drift_products_compared") == 0


def test_a_product_that_vanishes_loses_its_verdict(tmp_path: Path) -> None:
    """Without rows and reference the old verdict does not stay, and neither does an aged one."""
    registry = CollectorRegistry()
    metrics = DriftMetrics(registry)
    digest = folder(tmp_path)
    found = findings_of(window_of(digest), read_models(tmp_path), 1, near)
    for forget, state in ((lambda: metrics.show([], 2.0), "no_rows"), (metrics.forget, "stale")):
        metrics.show(found, 1.0)
        assert sample(registry, "drift_detected", product=BTC) == 0.0
        forget()
        assert sample(registry, "drift_detected", product=BTC) != 0.0
        assert sample(registry, "drift_state", product=BTC, state=state) == 1.0
        assert sample(registry, "drift_products_compared") == 0.0


def test_the_page_and_the_summary_say_it_in_words(tmp_path: Path) -> None:
    """Both name product, verdict and numbers; names are escaped."""
    digest = folder(tmp_path)
    models = read_models(tmp_path)
    found = findings_of(window_of(digest), models, 1, apart)
    page = page_of(found, models, 1_000_000).decode()
    assert "BTC-USD: drifted" in page and 'href="drift/BTC-USD"' in page
    assert 'href="BTC-USD.html"' in page_of(found, models, 0, ".html").decode()
    assert '<html lang="en">' in page and "color-scheme:light dark" in page
    assert page.count("<main>") == page.count("</main>") == 1 and "background" not in page
    product = summary_of(found, models, 0)["products"][0]
    assert (product["drifted"], product["share"], product["rows"]) == (True, 1.0, 60)
    spoilt = PromotedModels(refused={"<b>": "because"})
    assert "&lt;b&gt;: because" in page_of([], spoilt, 0).decode()
