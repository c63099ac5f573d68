"""``python -m drift [--now]``: whether the last hour still looks like what the model learned."""

import argparse
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

from prometheus_client import REGISTRY

from drift.config import Settings
from drift.service import open_drift, open_worker, run_now
from plumbing.kafka import KafkaSettings
from plumbing.logs import configure
from plumbing.process import Process

STALLED_SECONDS = 900.0
"""A run, with the import of Evidently on a busy machine, takes a minute; this is no run."""


def scheduled(settings: Settings) -> int:
    """Settings → open → loop → close."""
    drift = open_drift(settings, KafkaSettings(), REGISTRY)
    with Process(
        "drift", settings, registry=REGISTRY, stalled_after=STALLED_SECONDS, pages=drift.answer
    ) as process:
        open_worker(settings, drift, process).run()
    return 0


def once(settings: Settings, out: Path) -> int:
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
    settings = Settings()
    return once(settings, options.out) if options.now else scheduled(settings)


if __name__ == "__main__":
    sys.exit(main())
