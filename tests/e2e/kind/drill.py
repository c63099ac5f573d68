"""What all parts of the drill need: the release, its report, and questions to what runs."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from featurizer.features import NAMES
from serving.artifact import load_folder, write_folder
from tests.e2e.kind.cluster import Cluster, CommandError
from tests.e2e.kind.load import Load
from tests.e2e.kind.report import LONGEST, Report
from tests.e2e.stack import ROOT, Answer, ask_url
from tests.e2e.stack import until as wait

HOST: Final = "127.0.0.1"
PORTS: Final = {"adapter": 30800, "monitor": 30809, "prometheus": 30909}
"""As manifests/kind.yaml maps them."""
MODELS: Final = ROOT / "model-settings"
READING: Final = Path(__file__).with_name("reading.py")
SCORE_TOLERANCE: Final = 1e-9
"""Between the library that serves and the plain arithmetic of a card."""


@dataclass(frozen=True, slots=True)
class Model:
    """A folder with both variants; ``score`` is what its ``ml`` gives for the golden row."""

    folder: Path
    version: str
    digest: str
    score: float


def golden_row(folder: Path = MODELS) -> tuple[float | None, ...]:
    """Return the first golden row of the model in place, in the order of ``NAMES``."""
    return tuple(json.loads((folder / "ml" / "card.json").read_text())["golden"]["rows"][0])


def model_in(folder: Path) -> Model:
    """Read a folder with both variants."""
    artifact = load_folder(folder / "ml")
    score = json.loads((folder / "ml" / "card.json").read_text())["golden"]["scores"][0]
    return Model(folder, artifact.info.version, artifact.info.digest, score)


def candidate_in(folder: Path, shift: float = 0.5) -> Model:
    """Make models like those in place, but for the intercept of ``ml`` and so its scores."""
    source = load_folder(MODELS / "ml")
    assert source.linear is not None, "the drill needs a linear model in model-settings/ml"
    linear = replace(source.linear, intercept=source.linear.intercept + shift)
    card = json.loads((MODELS / "ml" / "card.json").read_text())
    card["golden"]["scores"] = [linear.score(row) for row in card["golden"]["rows"]]
    write_folder(folder / "ml", variant="ml", linear=linear, card=card)
    shutil.copytree(MODELS / "baseline", folder / "baseline")
    return model_in(folder)


@dataclass(slots=True)
class Drill:
    """The running drill; ``prefix`` is that of the topics now."""

    cluster: Cluster
    report: Report
    prefix: str = ""
    rows_sha256: dict[str, str] = field(default_factory=dict)
    """Digest of the rows of each counted run."""

    @property
    def load(self) -> Load:
        """The load, once it is on."""
        assert self.report.load is not None
        return self.report.load

    def start_load(self) -> None:
        """Post the golden row from now on, if it isn't posted yet."""
        if self.report.load is not None:
            return
        row = dict(zip(NAMES, golden_row(), strict=True))
        self.report.load = Load(HOST, PORTS["adapter"], row)
        self.report.load.start()

    def ask(self, component: str, path: str, body: bytes | None = None) -> Answer:
        """Return status and JSON of an answer; status 0 where none came."""
        return ask_url(f"http://{HOST}:{PORTS[component]}{path}", body)

    def served(self) -> tuple[str, str, float]:
        """Return variant, version and score of one answer for the golden row."""
        row = dict(zip(NAMES, golden_row(), strict=True))
        status, body = self.ask("adapter", "/predict", json.dumps({"rows": [row]}).encode())
        assert status == 200, body
        return body["model_variant"], body["version"], body["scores"][0]

    def newest(self, product: str = "BTC-USD") -> tuple[str, int]:
        """Return feed and event time of the newest prediction."""
        status, latest = self.ask("monitor", f"/predictions/latest?product={product}")
        return (latest["feed"], int(latest["time_us"])) if status == 200 else ("", 0)

    def flows(self) -> None:
        """Wait until a newer prediction arrives than there is now."""
        before = self.newest()
        until(lambda: self.newest() not in (before, ("", 0)))

    def replaced(self, component: str, count: int, gone: str) -> None:
        """Wait until a pod is gone and a component has all its pods, ready."""

        def done() -> bool:
            names = {pod.name for pod in self.cluster.pods(component)}
            return gone not in names and self.cluster.ready(component, count)

        until(done)

    def counts(self, *topics: str) -> dict[str, int]:
        """Return how many records the topics of this run hold."""
        found: dict[str, int] = json.loads(self.ask_kafka("counts", *topics))
        return found

    def ask_kafka(self, what: str, *names: str) -> str:
        """Run ``reading.py`` in the cluster, for the topics of this run."""
        return self.run_python("-", what, *names, stdin=READING.read_text())

    def run_python(self, *arguments: str, stdin: str | None = None) -> str:
        """Run Python in a pod, with the topics of this run."""
        python = ("env", f"KAFKA_TOPIC_PREFIX={self.prefix}", "python")
        return self.cluster.execute("featurizer", *python, *arguments, stdin=stdin)

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
