"""``python -m simulator``: flags override ``SIMULATOR_…`` in the environment."""

import argparse
import asyncio
import sys

from pydantic import ValidationError

from ingestor.recordings.recording import RecordingError
from plumbing.logs import configure, get_logger
from simulator.config import SimulatorSettings
from simulator.service import run


def parse(arguments: list[str]) -> SimulatorSettings:
    """Return the settings; a flag that was not given leaves the environment its say."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A Coinbase exchange that replays a recording or a generated market.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--recording", help="recording to replay")
    parser.add_argument("--speed", help="seconds of event time per second")
    parser.add_argument("--loop", action="store_true", help="play again and again")
    parser.add_argument("--seed", help="seed of the generated market")
    parser.add_argument("--volatility", help="moods, wandering, or a mood held")
    parser.add_argument("--products", help="its products, separated by commas")
    parser.add_argument("--start", help="event time at which it begins")
    parser.add_argument("--length", help="seconds of event time after which it is over")
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", help="port of the WebSocket; 0: a free one")
    parser.add_argument("--admin-port", help="port of /status and /metrics; 0: a free one")
    given = vars(parser.parse_args(arguments))
    try:
        return SimulatorSettings(**given)
    except ValidationError as exc:
        parser.error(str(exc))


def main() -> int:
    """Run the simulator; the exit code is 2 if it cannot begin."""
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
