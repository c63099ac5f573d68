"""What ``helm test`` asks of a release: ``check.py serving | monitoring | mlflow``.

It says a line for each thing found well, or ends with 1 and what was found and expected.
Where things are comes from the environment. It runs in our image, so V2 is what our code says.
"""

import hashlib
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from featurizer.features import NAMES, widened
from serving.control import VARIANTS
from serving.tensor import EXAMPLE_ROW, TAU, Row
from serving.v2 import (
    MODEL_PATH,
    BadResponse,
    Scored,
    decode_response,
    encode_request,
    infer_path,
)

TOLERANCE = 1e-9
PAUSE_SECONDS = 2.0
TIMEOUT_SECONDS = 10.0
DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Services of the release are beside us, whatever proxy the environment names."""

Environment = Mapping[str, str]


class Failed(Exception):
    """The release is not well; the message says what was found and what was expected."""


class NotReady(Failed):
    """Nothing answered, or it was not ready: worth another try."""


def fetch(url: str, data: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """Return what a URL answers; data is posted, as JSON."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, data, sent)
    try:
        with DIRECT.open(request, timeout=TIMEOUT_SECONDS) as response:
            found: bytes = response.read()
            return found
    except urllib.error.HTTPError as exc:
        said = exc.read().decode(errors="replace")[:300]
        kind = NotReady if exc.code in (429, 502, 503, 504) else Failed
        raise kind(f"{url}: found {exc.code} {said}, expected 200") from exc
    except OSError as exc:
        raise NotReady(f"{url}: found {exc}, expected an answer") from exc


def ask(url: str, body: object = None, headers: Mapping[str, str] | None = None) -> Any:
    """Return the JSON (or text) that a URL answers; a body is posted as JSON."""
    text = fetch(url, None if body is None else json.dumps(body).encode(), headers).decode()
    try:
        return json.loads(text)
    except ValueError:
        return text


# ---------------------------------------------------------------------- serving
def brought(models: Path) -> dict[str, dict[str, Any]]:
    """Return the card of each model that the release brought or kept, by its digest."""
    sums = sorted(models.glob("*/SHA256SUMS"))
    return {
        hashlib.sha256(path.read_bytes()).hexdigest(): json.loads(
            (path.parent / "card.json").read_text(encoding="utf-8")
        )
        for path in sums
    }


def golden_rows(card: Mapping[str, Any]) -> list[Row]:
    """Return the golden rows of a card, τ after the values where the model is in units of it."""
    golden = card["golden"]
    rows: list[Row] = [widened(row) for row in golden["rows"]]
    taus = golden.get("tau")
    return [[*row, tau] for row, tau in zip(rows, taus, strict=True)] if taus else rows


def same(what: str, found: list[float], expected: list[float]) -> None:
    """Compare scores row by row."""
    if len(found) != len(expected):
        raise Failed(f"{what}: found {len(found)} scores, expected {len(expected)}")
    for number, (one, other) in enumerate(zip(found, expected, strict=True)):
        if not abs(one - other) <= TOLERANCE:
            raise Failed(f"{what}: row {number}: found score {one!r}, expected {other!r}")


def infer(adapter: str, variant: str, rows: Sequence[Row], key: Mapping[str, str]) -> Scored:
    """Score rows by V2."""
    body = fetch(adapter + infer_path(variant), encode_request(rows), key)
    try:
        return decode_response(body, len(rows), variant)
    except BadResponse as exc:
        raise Failed(f"V2 {variant}: {exc}") from exc


def serving(environment: Environment) -> list[str]:
    """Score the golden rows of both variants by V2, then rows by ``/predict``, where one serves."""
    adapter = environment["ADAPTER_URL"]
    secret = environment.get("ADAPTER_PROBER_KEY", "")
    key = {"X-API-Key": secret} if secret else {}
    cards = brought(Path(environment["MODELS"]))
    if not cards:
        raise Failed(f"{environment['MODELS']}: found no model folder, expected those of the chart")
    said = [_golden(adapter, variant, cards, key) for variant in VARIANTS]
    rows = golden_rows(next(iter(cards.values())))
    names = [*NAMES, TAU]
    body = {"rows": [dict(zip(names, row, strict=False)) for row in rows]}
    answer = ask(f"{adapter}/predict", body, key)
    serves, version = answer["model_variant"], answer["version"]
    direct = infer(adapter, serves, rows, key)
    expected = direct.info.version
    if version != expected:
        raise Failed(f"/predict: found {serves} {version}, expected {expected} as by V2")
    same(f"/predict {serves} {version}", answer["scores"], direct.scores)
    return [*said, f"/predict: {serves} {version} serves, with the scores of V2"]


def _golden(
    adapter: str, variant: str, cards: Mapping[str, dict[str, Any]], key: Mapping[str, str]
) -> str:
    """Compare the scores of a variant by V2 with those in the card of the model that serves it."""
    ask(f"{adapter}{MODEL_PATH.format(variant=variant)}/ready")
    info = infer(adapter, variant, [EXAMPLE_ROW], key).info
    digest, version = info.digest, info.version
    card = cards.get(digest)
    if card is None:
        # Promoted since the last upgrade; promotion itself has compared it with its card.
        known = ", ".join(sorted(found[:12] for found in cards))
        return f"V2 {variant}: {version} is none of this release's ({known}), not compared"
    if version != digest[:12] or card["variant"] != variant:
        found = f"{card['variant']} {version}"
        raise Failed(f"V2 {variant}: found {found}, expected {variant} {digest[:12]}")
    golden = card["golden"]
    answer = infer(adapter, variant, golden_rows(card), key)
    same(f"V2 {variant} {version}", answer.scores, golden["scores"])
    same(f"V2 {variant} {version}, severe", answer.severe or [], golden.get("severe", []))
    return f"V2 {variant}: {version} gives its card's {len(golden['scores'])} golden scores"


# ------------------------------------------------------------------- monitoring
def monitoring(environment: Environment) -> list[str]:
    """Ask Prometheus for its targets, rules and Alertmanager, and Grafana for its health."""
    prometheus, jobs = environment["PROMETHEUS_URL"], environment["JOBS"].split(",")
    said = [_targets(prometheus, jobs), _rules(prometheus)]
    found = ask(f"{prometheus}/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
    if not found:
        raise NotReady(f"{prometheus}: found no Alertmanager, expected one")
    said.append(f"alerts: go to {', '.join(each['url'] for each in found)}")
    health = ask(f"{environment['GRAFANA_URL']}/api/health")
    if health["database"] != "ok":
        raise NotReady(f"Grafana: found {health}, expected database ok")
    return [*said, "Grafana: healthy"]


def _targets(prometheus: str, jobs: list[str]) -> str:
    # Not the series `up`: after an upgrade those of pods that are gone last for minutes.
    answer = ask(f"{prometheus}/api/v1/targets?state=active")
    up: dict[str, list[str]] = {job: [] for job in jobs}
    down = []
    for each in answer["data"]["activeTargets"]:
        job, instance = each["labels"]["job"], each["labels"]["instance"]
        up.setdefault(job, []).append(each["health"])
        if each["health"] != "up":
            down.append(f"{job} {instance} is {each['health']}")
    down += [f"{job} has no target" for job in jobs if not up[job]]
    if down:
        raise NotReady(f"{prometheus}: found {'; '.join(sorted(down))}, expected all up")
    counts = ", ".join(f"{job} {len(found)}" for job, found in sorted(up.items()))
    return f"targets: all up ({counts})"


def _rules(prometheus: str) -> str:
    groups = ask(f"{prometheus}/api/v1/rules")["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    bad = [f"{rule['name']}: {rule.get('lastError', '')}" for rule in rules if _ill(rule)]
    if bad or not rules:
        raise Failed(f"rules: found {bad or 'none'}, expected all to be evaluated")
    firing = sorted({r["name"] for r in rules if r.get("state") == "firing"} - {"Watchdog"})
    return f"rules: {len(rules)} loaded, firing: {', '.join(firing) or 'none'}"


def _ill(rule: Mapping[str, Any]) -> bool:
    return bool(rule["health"] == "err")


# ----------------------------------------------------------------------- mlflow
def mlflow(environment: Environment) -> list[str]:
    """Ask MLflow by each of its DNS names, which it must all allow, for an experiment."""
    said = []
    for host in environment["MLFLOW_HOSTS"].split(","):
        ask(f"http://{host}/health")
        body = {"max_results": 1}
        found = ask(f"http://{host}/api/2.0/mlflow/experiments/search", body)
        name = found["experiments"][0]["name"]
        said.append(f"MLflow: {host} answers, experiment {name}")
    return said


# -------------------------------------------------------------------------------
CHECKS: dict[str, Callable[[Environment], list[str]]] = {
    "serving": serving,
    "monitoring": monitoring,
    "mlflow": mlflow,
}


def say(line: str) -> None:
    """Print at once: who reads the log of a pod that hangs wants to know where."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(name: str, environment: Environment) -> int:
    """Check until it is well or ``DEADLINE_SECONDS`` are over; 0 only if all is well."""
    until = time.monotonic() + float(environment.get("DEADLINE_SECONDS", "60"))
    while True:
        try:
            found = CHECKS[name](environment)
        except Failed as exc:
            if not isinstance(exc, NotReady) or time.monotonic() > until:
                say(f"FAILED {name}: {exc}")
                return 1
            say(f"waiting: {exc}")
            time.sleep(PAUSE_SECONDS)
        else:
            say("\n".join([*found, f"ok {name}"]))
            return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], os.environ))
