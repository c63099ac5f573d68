"""``python -m drift``: compares on a schedule, in a process of its own."""

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from prometheus_client import CollectorRegistry

from drift.comparison import WINDOW_SECONDS, Report, evidently_report
from drift.config import Settings
from drift.day import Day
from drift.findings import Finding, findings_of
from drift.metrics import DriftMetrics
from drift.models import PromotedModels, read_models
from drift.page import page_of, summary_of
from drift.window import Bounds, read_windows
from ingestor.topics import FEATURES, OUTCOMES, PREDICTIONS
from monitor.reading import LogReader
from plumbing.backoff import Backoff
from plumbing.kafka import KafkaSettings, Reader, Worker, always
from plumbing.logs import get_logger
from plumbing.probes import Answer
from plumbing.process import Process

AGAIN_SECONDS: Final = 30.0
"""Longest first delay after a failure: a run is no small thing."""
JOINED: Final = (FEATURES.name, PREDICTIONS.name, OUTCOMES.name)
HTML: Final = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Made:
    """What one run found; ``at_us`` is the wall clock's time of it."""

    findings: list[Finding]
    models: PromotedModels
    at_us: int

    def summary(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return summary_of(self.findings, self.models, self.at_us)


class Drift:
    """Makes comparisons and keeps the last one for the HTTP side."""

    def __init__(
        self,
        settings: Settings,
        open_reader: Callable[[], LogReader],
        metrics: DriftMetrics,
        report: Report = evidently_report,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._open, self._metrics = settings, open_reader, metrics
        self._report, self._wall = report, wall
        self._days: Mapping[str, Day] = {}
        self.made: Made | None = None

    @property
    def ready(self) -> bool:
        """Whether there is a comparison to show."""
        return self.made is not None

    def step(self) -> None:
        """Compare once more."""
        self.run()

    def close(self) -> None:
        """Hold nothing: each comparison has a connection of its own."""

    def run(self) -> Made:
        """Compare once, show it in the metrics, and keep it.

        Raises:
            Exception: whatever kafka-python or Evidently raise; nothing is shown then.
        """
        models = read_models(self._settings.models)
        self._metrics.show_models(models)
        for folder, reason in models.refused.items():
            get_logger().warning("drift.model_refused", folder=folder, reason=reason)
        with closing(self._open()) as reader:
            bounds = Bounds(self._settings.most_records)
            windows = read_windows(reader, bounds, self._days)
        self._days = {product: window.day for product, window in windows.items()}
        now = self._wall()
        findings = findings_of(windows, models, int(now * 1000), self._report)
        self._metrics.show(findings, now)
        self.made = Made(findings, models, int(now * 1_000_000))
        _log(findings)
        return self.made

    def failed(self) -> None:
        """Count a comparison that failed; a verdict older than its window tells of no present."""
        self._metrics.failures.inc()
        made = self.made
        if made is not None and self._wall() - made.at_us / 1e6 > WINDOW_SECONDS:
            self._metrics.forget()

    def answer(self, path: str) -> Answer | None:
        """Answer ``/drift``, ``/drift.json`` and ``/drift/PRODUCT``; None for all else."""
        head, _, product = path.strip("/").partition("/")
        if head not in ("drift", "drift.json"):
            return None
        made = self.made
        if made is None:
            return _problem(503, "No comparison yet", "the first one is being made")
        if head == "drift.json":
            return 200, "application/json", json.dumps(made.summary()).encode()
        if not product:
            return 200, HTML, page_of(made.findings, made.models, made.at_us)
        return self._report_of(made, unquote(product))

    def _report_of(self, made: Made, product: str) -> Answer:
        for finding in made.findings:
            if finding.product == product and finding.comparison.html is not None:
                return 200, HTML, finding.comparison.html
        known = ", ".join(f.product for f in made.findings if f.comparison.html) or "none"
        return _problem(
            404, "No report", f"product: found {product!r}, expected one compared: {known}"
        )


def open_worker(settings: Settings, drift: Drift, process: Process) -> Worker:
    """Return the loop of the drift process: a comparison every ``every_seconds``."""
    worker = Worker(
        "drift",
        lambda: drift,
        process.stop,
        beat=process.beat,
        failed=drift.failed,
        passing=always,
        pace=settings.every_seconds,
        backoff=Backoff(AGAIN_SECONDS, settings.every_seconds),
    )
    process.ready = lambda: {"running": not process.stop.requested, "compared": drift.ready}
    return worker


def open_drift(settings: Settings, kafka: KafkaSettings, registry: CollectorRegistry) -> Drift:
    """Return what compares; Evidently is kept from sending anything anywhere."""
    os.environ["DO_NOT_TRACK"] = "1"  # read when it is imported
    return Drift(settings, lambda: Reader(kafka, JOINED), DriftMetrics(registry))


def run_now(settings: Settings, kafka: KafkaSettings, out: Path) -> dict[str, Any]:
    """Compare once, write the pages into ``out``, and give the summary."""
    drift = open_drift(settings, kafka, CollectorRegistry())
    made = drift.run()
    out.mkdir(parents=True, exist_ok=True)
    for finding in made.findings:
        if finding.comparison.html is not None:
            name = quote(finding.product, safe="") + ".html"
            (out / name).write_bytes(finding.comparison.html)
    (out / "index.html").write_bytes(page_of(made.findings, made.models, made.at_us, ".html"))
    return made.summary()


def _log(findings: list[Finding]) -> None:
    for finding in findings:
        found = finding.comparison
        get_logger().info(
            "drift.looked",
            product=finding.product,
            state=found.state,
            drifted=found.detected,
            share=found.share,
            rows=found.rows,
        )


def _problem(status: int, title: str, detail: str) -> Answer:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return status, "application/problem+json", json.dumps(body).encode()
