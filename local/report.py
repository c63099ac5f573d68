"""What a run leaves beside the topics: logs, the simulator's last word, the models' cards."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local.plan import ROOT
from local.spawn import tail
from local.summary import count_errors, trained_on


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


def _errors(log: Path) -> int:
    with log.open(errors="replace") as lines:
        return count_errors(lines)


def _cards(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*/card.json")):
        yield json.loads(path.read_text())
