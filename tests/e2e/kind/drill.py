"""What all parts of the drill need: the release, its report, and questions to what runs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.kind.cluster import Cluster, CommandError
from tests.e2e.kind.load import Load
from tests.e2e.kind.report import LONGEST, Report
from tests.e2e.models import Model, golden_row
from tests.e2e.stack import ROOT, Answer, ask_url
from tests.e2e.stack import until as wait

HOST: Final = "127.0.0.1"
PORTS: Final = {"adapter": 30800, "monitor": 30809, "prometheus": 30909}
"""As manifests/kind.yaml maps them."""
MODELS: Final = ROOT / "model-settings"
READING: Final = Path(__file__).with_name("reading.py")
REPLICAS: Final = {"adapter": 2, "mlserver": 2, "scorer": 1, "featurizer": 1, "ingestor": 1}
SCORE_TOLERANCE: Final = 1e-9
"""Between the library that serves and the plain arithmetic of a card."""


@dataclass(slots=True)
class Drill:
    """The running drill; ``prefix`` is that of the topics now."""

    cluster: Cluster
    report: Report
    replicas: Mapping[str, int] = field(default_factory=lambda: REPLICAS)
    prefix: str = ""
    rows_sha256: dict[str, str] = field(default_factory=dict)
    """Digest of the rows of each counted run."""

    @property
    def load(self) -> Load:
        """The load, once it is on."""
        assert self.report.load is not None
        return self.report.load

    def start_load(self, pause: float = 0.1) -> None:
        """Post the golden row from now on, with pauses of so many seconds, unless it is posted."""
        if self.report.load is not None:
            return
        self.report.load = Load(HOST, PORTS["adapter"], golden_row(MODELS), pause=pause)
        self.report.load.start()

    def resume_load(self) -> None:
        """Post the golden row again after the load was stopped; what was counted stays."""
        load = Load(HOST, PORTS["adapter"], golden_row(MODELS))
        load.phases = self.load.phases
        self.report.load = load
        load.start()

    def ask(self, component: str, path: str, body: bytes | None = None) -> Answer:
        """Return status and JSON of an answer; status 0 where none came."""
        return ask_url(f"http://{HOST}:{PORTS[component]}{path}", body)

    def served(self, folder: Path = MODELS) -> tuple[str, str, float]:
        """Return variant, version and score of one answer for the golden row of a folder."""
        rows = json.dumps({"rows": [golden_row(folder)]}).encode()
        status, body = self.ask("adapter", "/predict", rows)
        assert status == 200, body
        return body["model_variant"], body["version"], body["scores"][0]

    def serves(self, model: Model) -> float:
        """Check that a model's ``ml`` serves with its golden score, and return the score."""
        variant, version, score = self.served(model.folder)
        assert (variant, version) == ("ml", model.version)
        assert score == pytest.approx(model.score, abs=SCORE_TOLERANCE)
        return score

    def settled(self, model: Model) -> bool:
        """Say whether the model server has its pods, all of them of this model."""
        pods = self.cluster.pods("mlserver")
        named = {pod.models["ml"] for pod in pods}
        return self.cluster.ready("mlserver", self.replicas["mlserver"]) and named == {
            model.version
        }

    def one_score_each(self) -> None:
        """Check that each version of each variant has answered with one score, to the bit."""
        self.load.enter("between")
        scores: dict[tuple[str, str], set[float]] = {}
        for phase in list(self.load.phases):
            for variant, version, score in self.load.seen(phase).scores:
                scores.setdefault((variant, version), set()).add(score)
        assert all(len(found) == 1 for found in scores.values()), scores

    def newest(self, product: str = "BTC-USD") -> tuple[str, int]:
        """Return feed and event time of the newest prediction."""
        status, latest = self.ask("monitor", f"/predictions/latest?product={product}")
        return (latest["feed"], int(latest["time_us"])) if status == 200 else ("", 0)

    def flows(self) -> None:
        """Wait until a newer prediction arrives than there is now."""
        before = self.newest()
        until(lambda: self.newest() not in (before, ("", 0)))

    def outcomes(self) -> list[dict[str, Any]]:
        """Return the latest predictions of this feed whose 60 seconds have passed."""
        feed, _ = self.newest()
        status, page = self.ask("monitor", "/predictions?product=BTC-USD&limit=1000")
        found = page["predictions"] if status == 200 else []
        return [each for each in found if each["feed"] == feed and each.get("outcome")]

    def releases(self) -> set[str]:
        """Return the tags of our images that pods of this release run."""
        images = {image for name in self.replicas for image in self.cluster.images(name)}
        return {image.rpartition(":")[2] for image in images}

    def replaced(self, component: str, count: int, gone: str) -> None:
        """Wait until a pod is gone and a component has all its pods, ready."""

        def done() -> bool:
            names = {pod.name for pod in self.cluster.pods(component)}
            return gone not in names and self.cluster.ready(component, count)

        until(done)

    def counts(self, *topics: str, component: str = "featurizer") -> dict[str, int]:
        """Return how many records the topics of this run hold, asked from a component's pod."""
        found: dict[str, int] = json.loads(self.ask_kafka("counts", *topics, component=component))
        return found

    def ask_kafka(self, what: str, *names: str, component: str = "featurizer") -> str:
        """Run ``reading.py`` in the cluster, for the topics of this run."""
        script = READING.read_text()
        return self.run_python("-", what, *names, stdin=script, component=component)

    def run_python(
        self, *arguments: str, stdin: str | None = None, component: str = "featurizer"
    ) -> str:
        """Run Python in a pod, with the topics of this run."""
        python = ("env", f"KAFKA_TOPIC_PREFIX={self.prefix}", "python")
        return self.cluster.execute(component, *python, *arguments, stdin=stdin)

    def in_sync(self, brokers: int = 3) -> bool:
        """Say whether all brokers are up and every copy of every partition is whole."""
        told: dict[str, int] = json.loads(self.ask_kafka("brokers"))
        return told == {"brokers": brokers, "offline": 0, "under_replicated": 0}

    def prometheus(self, path: str) -> Any:
        """Return the data of an answer of Prometheus' API."""
        status, body = self.ask("prometheus", f"/api/v1/{path}")
        assert status == 200, body
        return body["data"]


def until(condition: Callable[[], Any], seconds: float = LONGEST) -> Any:
    """Ask until the answer is true, and give it; a command that fails counts as false."""

    def asked() -> Any:
        try:
            return condition()
        except CommandError:
            return False

    return wait(asked, seconds)
