"""``python -m monitor``, ``python -m monitor drift [--now]`` and ``python -m monitor kafka``."""

import argparse
import asyncio
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

from prometheus_client import REGISTRY

from monitor.config import DriftSettings, KafkaMetricsSettings, MonitorSettings
from plumbing.kafka import KafkaSettings
from plumbing.logs import configure, get_logger
from plumbing.trace import open_tracer
from plumbing.trace_settings import TraceSettings


def monitor() -> int:
    """Follow predictions until told to stop."""
    from monitor.service import run  # each process imports its own part only

    settings = MonitorSettings()
    configure("monitor", settings.log_level)
    tracer = open_tracer("monitor", TraceSettings())
    try:
        asyncio.run(run(settings, KafkaSettings(), REGISTRY, tracer))
    except OSError as exc:
        return _not_listening(settings.host, settings.port, exc)
    finally:
        tracer.close()
    return 0


def drift(now: bool, out: Path) -> int:
    """Compare with the training rows on a schedule, or once, ``now``."""
    from monitor.drift_service import run, run_now

    settings = DriftSettings()
    if now:
        try:
            with redirect_stdout(sys.stderr):  # logs, ours and kafka-python's, are not the summary
                configure("drift", "ERROR")
                summary = run_now(settings, KafkaSettings(), out)
        except Exception as exc:  # no broker, no topics: one line instead of a traceback
            print(f"error: {type(exc).__name__}: {exc}", file=sys.stderr)
            return 2
        print(json.dumps(summary, indent=2))
        return 0
    configure("drift", settings.log_level)
    try:
        run(settings, KafkaSettings(), REGISTRY)
    except OSError as exc:
        return _not_listening(settings.host, settings.port, exc)
    return 0


def kafka() -> int:
    """Serve metrics of the broker."""
    from monitor.kafka_service import run

    settings = KafkaMetricsSettings()
    configure("kafka-metrics", settings.log_level)
    try:
        run(settings, KafkaSettings(), REGISTRY)
    except OSError as exc:
        return _not_listening(settings.host, settings.port, exc)
    return 0


def _not_listening(host: str, port: int, exc: OSError) -> int:
    get_logger().error("monitor.not_listening", host=host, port=port, reason=str(exc))
    return 1


def main() -> int:
    """Do what the command line says and give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m monitor", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    drifting = commands.add_parser("drift", help="compare the last hour with the training rows")
    drifting.add_argument("--now", action="store_true", help="once, print the summary, and end")
    drifting.add_argument(
        "--out", type=Path, default=Path(".run/drift"), help="folder for the pages of --now"
    )
    commands.add_parser("kafka", help="serve metrics of the broker")
    options = parser.parse_args()
    match options.command:
        case "drift":
            return drift(options.now, options.out)
        case "kafka":
            return kafka()
        case _:
            return monitor()


if __name__ == "__main__":
    sys.exit(main())
