"""``python -m monitor``, ``python -m monitor kafka``, ``python -m monitor explain``."""

import argparse
import asyncio
import os
import sys

from prometheus_client import REGISTRY

from plumbing.kafka import KafkaSettings
from plumbing.kafka.inspection import Cluster
from plumbing.logs import configure, get_logger
from plumbing.process import Process
from plumbing.tracing.settings import TraceSettings
from plumbing.tracing.tracer import open_tracer

STALLED_SECONDS = 180.0
"""Longer than several calls that each wait for a broker that is away."""


def monitor() -> int:
    """Follow predictions until told to stop."""
    from monitor.config import Settings  # each process imports its own part only
    from monitor.service import run

    settings = Settings()
    configure("monitor", settings.log_level)
    tracer = open_tracer("monitor", TraceSettings())
    try:
        asyncio.run(run(settings, KafkaSettings(), REGISTRY, tracer))
    except OSError as exc:
        return _not_listening(settings.host, settings.port, exc)
    finally:
        tracer.close()
    return 0


def kafka() -> int:
    """Serve metrics of the broker."""
    from monitor.kafka.config import Settings
    from monitor.kafka.metrics import KafkaMetrics
    from monitor.kafka.service import watch

    settings, where = Settings(), KafkaSettings()
    with Process(
        "kafka-metrics", settings, registry=REGISTRY, stalled_after=STALLED_SECONDS
    ) as process:
        worker = watch(
            lambda: Cluster(where),
            KafkaMetrics(process.registry, where.volume_bytes),
            process.stop,
            every_seconds=settings.every_seconds,
            volume_bytes=where.volume_bytes,
            beat=process.beat,
        )
        process.ready = lambda: {"running": not process.stop.requested, "kafka": worker.rebuilt}
        worker.run()
    return 0


def explain(arguments: argparse.Namespace) -> int:
    """Tell what a prediction rests on, recomputed."""
    from monitor.explain.service import explained

    configure("monitor", "ERROR", sys.stderr)  # stdout is the explanation alone
    return explained(arguments, KafkaSettings(), sys.stdout, sys.stderr)


def _not_listening(host: str, port: int, exc: OSError) -> int:
    get_logger().error("monitor.not_listening", host=host, port=port, reason=str(exc))
    return 1


def main() -> int:
    """Do what the command line says and give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m monitor", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("kafka", help="serve metrics of the broker")
    _explain_options(commands.add_parser("explain", help="tell what a prediction rests on"))
    if sys.argv[1:2] == ["drift"]:  # where 0.1.0 had it; values kept from then still ask for it
        print("python -m monitor drift has moved: it is python -m drift now", file=sys.stderr)
        os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])
    arguments = parser.parse_args()
    if arguments.command == "explain":
        return explain(arguments)
    return kafka() if arguments.command == "kafka" else monitor()


def _explain_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prediction_id", nargs="?")
    parser.add_argument("--product", help="with --at, in place of an id: BTC-USD")
    parser.add_argument("--at", help="event time at or before which it stands")
    parser.add_argument("--model", action="append", default=[], help="a model folder")
    parser.add_argument("--ticks", type=int, default=10, help="how many events before it")
    parser.add_argument("--seeds", help="file of seeds, as FEATURIZER_SEEDS has it")
    parser.add_argument("--json", action="store_true")


if __name__ == "__main__":
    sys.exit(main())
