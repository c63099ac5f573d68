"""``python -m training train --data PATH …``: from recordings to a chosen, calibrated model."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from training.commands.given import overridden
from training.config import TrainingSettings
from training.errors import TrainingError


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "train", help="choose a model by evidence and write a run folder", description=__doc__
    )
    parser.add_argument("--data", type=Path, nargs="+", help="recordings, or folders of them")
    parser.add_argument("--runs", type=Path, help="folder of the run folders (.run/training)")
    parser.add_argument(
        "--open-sealed",
        action="store_true",
        help="the final report: judge the sealed capture too; run.json records it",
    )
    parser.add_argument("--no-tracking", action="store_true", help="leave MLflow as it is")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: TrainingSettings) -> int:
    """Train, write the run folder and log it to MLflow; 1 only if there is no run folder."""
    from training.progress import Bars
    from training.service import run as train

    began = time.monotonic()
    given = overridden(settings, data=options.data, runs=options.runs)
    made = train(given, _say, open_sealed=options.open_sealed, progress=Bars())
    if not options.no_tracking:
        _track(made.folder, given)
    _say(f"done      {made.folder} in {time.monotonic() - began:.0f} s")
    return 0


def _track(folder: Path, settings: TrainingSettings) -> None:
    """Log to MLflow; without it the run folder is whole all the same."""
    from training.tracking import log_run

    try:
        logged = log_run(folder, settings)
    except TrainingError as exc:
        _say(f"untracked {exc}")
    else:
        _say(f"tracked   {logged.uri}: run {logged.run_id}, version {logged.version}")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
