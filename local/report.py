"""What is told of a run beside the topics: addresses, logs, the simulator's word, the cards."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from local.plan import ROOT, Plan
from local.spawn import tail
from local.summary import count_errors, trained_on

CAUGHT_UP_SECONDS: Final = 15.0


def findings(logs: Path, replay: Mapping[str, Any]) -> dict[str, Any]:
    """Return what logs, cards and the simulator's last ``replay`` status tell of a run."""
    errors = {path.stem: found for path in sorted(logs.glob("*.log")) if (found := _errors(path))}
    sha256 = replay.get("sha256")
    return {
        "recording": replay.get("recording"),
        "recording_sha256": sha256,
        "recording_in_training_data": trained_on(sha256, _cards(ROOT / "model-settings")),
        "sent": replay.get("sent"),
        "errors": sum(errors.values()),
        "errors_by_service": errors,
    }


def reason_of(log: Path) -> str:
    """Return why a child ended, as the last of its own log lines with a reason says; "" if none."""
    for line in reversed(tail(log).splitlines()):
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and said.get("level") == "error" and said.get("reason"):
            return str(said["reason"])
    return ""


def addresses(plan: Plan) -> str:
    """Return where everything is."""
    ports = plan.ports
    lines = [
        f"  page        http://127.0.0.1:{ports['monitor']}/",
        f"  predict     POST http://127.0.0.1:{ports['adapter']}/predict  (docs: /docs)",
        f"  health      http://127.0.0.1:{ports['adapter']}/health",
        f"  predictions http://127.0.0.1:{ports['monitor']}/predictions/latest?product=BTC-USD",
        f"  models      http://127.0.0.1:{ports['mlserver']}/v2/models/ml",
        f"  kafka       {plan.kafka.bootstrap_servers} {plan.kafka.topic_prefix}".rstrip(),
    ]
    return "\n".join(lines)


def replay(status: Mapping[str, Any]) -> str:
    """Return what the simulator does.

    >>> replay({"state": "running", "behind_seconds": 2_640.4})
    'generated market: running, catching up, 44 min behind'
    """
    if not status:
        return ""
    name = status.get("recording") or "generated market"
    behind = status.get("behind_seconds") or 0.0
    catching_up = status.get("state") == "running" and behind > CAUGHT_UP_SECONDS
    past = f", catching up, {behind / 60:.0f} min behind" if catching_up else ""
    return f"{name}: {status.get('state')}{past}"


def _errors(log: Path) -> int:
    with log.open(errors="replace") as lines:
        return count_errors(lines)


def _cards(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*/card.json")):
        yield json.loads(path.read_text())
