"""``python -m local demo``, ``status``, ``restart NAME`` and ``jars``."""

import argparse
import json
import os
import signal
import sys

from kafka.errors import KafkaError  # type: ignore[import-untyped]
from pydantic import ValidationError

from local.broker import BrokerError
from local.config import DemoSettings
from local.demo import Demo, DemoError
from local.jars import JarsError, kafka_jars
from local.processes import wait_until
from local.state import FolderError, NoDemoError, read_state, wish_restart
from local.table import display
from plumbing.kafka import KafkaSettings, TopicError
from plumbing.stop import Stop

RESTART_SECONDS = 60.0


def main() -> int:
    """Do what the command line says and give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="run the whole pipeline here")
    commands.add_parser("status", help="what runs, as JSON")
    commands.add_parser("jars", help="fetch Apache Kafka's jars, as `demo` does when they are away")
    restart = commands.add_parser("restart", help="restart a child with its ports and settings")
    restart.add_argument("name", help="simulator, mlserver, ingestor, featurizer, …")
    options = parser.parse_args()
    if sys.version_info[:2] != (3, 11):
        return _fail(f"Python 3.11 is needed, found {sys.version.split()[0]}: see README.md")
    try:
        return _do(options, DemoSettings())
    except ValidationError as exc:
        problems = [str(e.get("ctx", {}).get("error", e["msg"])) for e in exc.errors()]
        names = [".".join(map(str, e["loc"])).upper() for e in exc.errors()]
        texts = [f"{n}: {p}" if n else p for n, p in zip(names, problems, strict=True)]
        return _fail("; ".join(texts))
    except KafkaError as exc:
        return _fail(f"the broker does not answer: {exc!r}")
    except (BrokerError, DemoError, FolderError, JarsError, NoDemoError, TopicError) as exc:
        return _fail(str(exc))


def _do(options: argparse.Namespace, settings: DemoSettings) -> int:
    match options.command:
        case "demo":
            return demo(settings)
        case "status":
            print(json.dumps(read_state(settings.run_dir), indent=2))
            return 0
        case "jars":
            kafka_jars(lambda text: print(text, file=sys.stderr))
            return 0
        case _:
            return bring_back(settings, options.name)


def demo(settings: DemoSettings) -> int:
    """Run the demo; its summary, if it has one, is the last line of stdout."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C, until all is open
    outside = KafkaSettings() if os.environ.get("KAFKA_BOOTSTRAP_SERVERS") else None
    shown, summary = display(), None
    try:
        summary = Demo(settings, outside, shown, Stop()).run()
    except KeyboardInterrupt:
        shown.say("broken off while starting")
    finally:
        shown.close()
    if summary is None:
        print("ended", file=sys.stderr)
        return 0
    print(json.dumps(summary), flush=True)
    return 0 if summary["ok"] else 1


def bring_back(settings: DemoSettings, name: str) -> int:
    """Have the running demo restart a child, and wait until it is ready."""
    children = read_state(settings.run_dir)["children"]
    if name not in children:
        return _fail(f"found no child {name!r}, expected one of {', '.join(sorted(children))}")
    wish = wish_restart(settings.run_dir, name)

    def back() -> bool:
        state: str = read_state(settings.run_dir)["children"][name]
        return not wish.exists() and state == "ready"

    if not wait_until(back, RESTART_SECONDS):
        state = read_state(settings.run_dir)["children"][name]
        return _fail(f"{name} is not ready after {RESTART_SECONDS:.0f} s: {state}")
    print(f"{name} is ready")
    return 0


def _fail(text: str) -> int:
    print(f"error: {text}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
