"""``python -m simulator``: flags override ``SIMULATOR_…`` in the environment.

``inspect PATH`` looks at recordings.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from ingestor.recordings.recording import RecordingError
from plumbing.logs import configure, get_logger
from simulator.config import SimulatorSettings
from simulator.inspection import inspect, obstacles, recordings_at, report
from simulator.service import run


def parse(arguments: list[str]) -> SimulatorSettings:
    """Return the settings; a flag that was not given leaves the environment its say."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A Coinbase exchange that replays a recording or a generated market;"
        " `python -m simulator inspect PATH` says what recordings hold.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--recording", help="recording to replay")
    parser.add_argument("--speed", help="seconds of event time per second")
    parser.add_argument("--loop", action="store_true", help="play again and again")
    parser.add_argument("--seed", help="seed of the generated market")
    parser.add_argument("--volatility", help="moods, wandering, or a mood held")
    parser.add_argument("--products", help="its products, separated by commas")
    parser.add_argument("--start", help="event time at which it begins")
    parser.add_argument("--history-seconds", help="seconds before now at which it begins instead")
    parser.add_argument("--length", help="seconds of event time after which it is over")
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", help="port of the WebSocket; 0: a free one")
    parser.add_argument("--admin-port", help="port of /status and /metrics; 0: a free one")
    given = vars(parser.parse_args(arguments))
    try:
        return SimulatorSettings(**given)
    except ValidationError as exc:
        parser.error(str(exc))


def look(arguments: Sequence[str]) -> int:
    """Print what recordings hold; return 0 if one of them serves for training, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator inspect",
        description="What recordings hold, and whether they serve for training.",
    )
    parser.add_argument("path", type=Path, help="a recording, or a folder of them")
    try:
        files = recordings_at(parser.parse_args(arguments).path)
    except RecordingError as exc:
        print(exc, file=sys.stderr)
        return 2
    serving = 0
    for path in files:
        found = inspect(path)
        print(*report(found), sep="\n", flush=True)
        serving += not obstacles(found)
    print(f"{serving} of {len(files)} serve for training")
    return 0 if serving else 1


def main() -> int:
    """Run the simulator; the exit code is 2 if it cannot begin."""
    if sys.argv[1:2] == ["inspect"]:
        return look(sys.argv[2:])
    settings = parse(sys.argv[1:])
    configure("simulator", settings.log_level)
    try:
        asyncio.run(run(settings))
    except RecordingError as exc:
        get_logger().error("recording.unreadable", reason=str(exc))
        return 2
    except OSError as exc:
        get_logger().error("simulator.cannot_listen", reason=str(exc))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
