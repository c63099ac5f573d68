"""One run of a market with an end, in topics of its own, and what it must leave there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.e2e.kind.drill import Drill, until
from tests.e2e.models import Model

KINDS: Final = ("ticks", "beats", "features", "predictions")
PRODUCTS: Final = ("BTC-USD", "ETH-USD", "SOL-USD", "ADA-USD", "XRP-USD", "DOGE-USD")
"""On partitions 9, 8, 5, 6, 1 and 2 of 12, so each of three replicas has two of them."""
SEED: Final = 7
START: Final = "2024-01-01T00:00:00"
SECONDS: Final = 450
STATUS: Final = (
    "import urllib.request as u; print(u.urlopen('http://localhost:8766/status').read().decode())"
)


@dataclass(frozen=True, slots=True)
class Counted:
    """What ``python -m local.audit`` found of a run; ``rows_sha256`` knows no feed."""

    report: dict[str, Any]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.report["features"]["ids"])

    @property
    def rows_sha256(self) -> str:
        """Equal for two runs whose rows are equal, to the bit."""
        return str(self.report["rows_sha256"])

    @property
    def repeats_equal(self) -> bool:
        """Say whether all that came twice from the ingestor is equal in every byte."""
        sent = [self.report[kind] for kind in ("ticks", "beats", "features")]
        return all(found["identical"] == found["repeats"] for found in sent)

    def __str__(self) -> str:
        return "; ".join(_shown(kind, self.report[kind]) for kind in KINDS)


def begin(drill: Drill, prefix: str, speed: float) -> None:
    """Let the market begin, from its first second, in topics that nobody has used.

    It begins as an ingestor connects, so that one comes last, when all others are in place.
    """
    cluster = drill.cluster
    stop(drill, "ingestor")
    exchange = {
        "SIMULATOR_SEED": str(SEED),
        "SIMULATOR_START": f"{START}Z",
        "SIMULATOR_LENGTH": str(SECONDS),
        "SIMULATOR_SPEED": f"{speed:g}",
        "SIMULATOR_VOLATILITY": "moods",
    }
    cluster.upgrade(
        {
            "kafka": {"topicPrefix": prefix},
            "feed": {"products": list(PRODUCTS)},
            "components": {"simulator": {"env": exchange}, "ingestor": {"replicas": 0}},
        }
    )
    drill.prefix = prefix
    cluster.scale("ingestor", 1)
    until(lambda: state_of(drill) == "running")


def stop(drill: Drill, *components: str) -> None:
    """Let these have no pod, each after it has done what it had begun."""
    for component in components:
        drill.cluster.scale(component, 0)
    until(lambda: not any(drill.cluster.pods(component) for component in components))


def whole(drill: Drill, seconds: int = 600) -> Counted:
    """Count what two releases left in the topics, as soon as it is whole.

    It fails where it is not after so long: a machine that does much else gets there late.
    """
    stop(drill, "ingestor")
    asked = ("-m", "local.audit", "--across", "--timeout", str(seconds))
    return Counted(json.loads(drill.run_python(*asked)))


def standing(drill: Drill, patience: float = 600.0) -> Counted:
    """Count by a release that does not know all that a later one wrote in a row.

    It calls such rows differing, and those of Beats unexpected; each row and prediction that it
    expects has to stand there.
    """
    stop(drill, "ingestor")
    until(lambda: not _lacking(_by_before(drill)), patience)
    return _by_before(drill)


def _by_before(drill: Drill) -> Counted:
    asked = ("sh", "-c", "python -m local.audit --timeout 1 || test $? = 1")
    prefix = f"KAFKA_TOPIC_PREFIX={drill.prefix}"
    return Counted(json.loads(drill.cluster.execute("featurizer", "env", prefix, *asked)))


def _lacking(counted: Counted) -> int:
    return sum(counted.report[kind]["missing"] for kind in KINDS)


def until_over(drill: Drill, seconds: float = 240.0) -> None:
    """Wait until the market has ended; what it gave may still be under way."""
    until(lambda: state_of(drill) == "ended", seconds)


def state_of(drill: Drill) -> str:
    """Say whether the market is waiting, running or ended."""
    told = json.loads(drill.cluster.execute("simulator", "python", "-c", STATUS))
    return str(told["state"])


def counted(drill: Drill, model: Model) -> Counted:
    """Count the run by content, in the cluster; fails with the report if it is not whole."""
    market = ("--seed", str(SEED), "--start", START, "--length", str(SECONDS))
    model_and_time = ("--digest", model.digest, "--timeout", "120")
    asked = (*market, "--products", ",".join(PRODUCTS), *model_and_time)
    return Counted(json.loads(drill.run_python("-m", "local.audit", *asked)))


def _shown(kind: str, found: Mapping[str, Any]) -> str:
    """Say in short what was found: ``ticks 12148 of 12148, 0 repeated``."""
    there = found["expected"] - found["missing"]
    return f"{kind} {there} of {found['expected']}, {found['repeats']} repeated"
