"""``python -m drift [--now]``: whether the last hour still looks like what the model learned."""

import argparse
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

from prometheus_client import REGISTRY

from drift.config import DriftSettings
from drift.service import run, run_now
from plumbing.kafka import KafkaSettings
from plumbing.logs import configure, get_logger


def scheduled(settings: DriftSettings) -> int:
    """Compare on a schedule until told to stop."""
    configure("drift", settings.log_level)
    try:
        run(settings, KafkaSettings(), REGISTRY)
    except OSError as exc:
        get_logger().error(
            "drift.not_listening", host=settings.host, port=settings.port, reason=str(exc)
        )
        return 1
    return 0


def once(settings: DriftSettings, out: Path) -> int:
    """Compare once, write the pages and print the summary."""
    try:
        with redirect_stdout(sys.stderr):  # logs, ours and kafka-python's, are not the summary
            configure("drift", "ERROR")
            summary = run_now(settings, KafkaSettings(), out)
    except Exception as exc:  # no broker, no topics: one line instead of a traceback
        print(f"error: {type(exc).__name__}: {exc}", file=sys.stderr)
        return 2
    print(json.dumps(summary, indent=2))
    return 0


def main() -> int:
    """Do what the command line says and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m drift", description=__doc__)
    parser.add_argument("--now", action="store_true", help="once, print the summary, and end")
    parser.add_argument(
        "--out", type=Path, default=Path(".run/drift"), help="folder for the pages of --now"
    )
    options = parser.parse_args()
    settings = DriftSettings()
    return once(settings, options.out) if options.now else scheduled(settings)


if __name__ == "__main__":
    sys.exit(main())
