"""``python -m training relative``: the pair in units of τ, from Coinbase's minutes and captures."""

import time
from argparse import Namespace
from pathlib import Path
from typing import Any, Final

from plumbing.terminal import say
from training.commands.overrides import with_overrides
from training.commands.train import track
from training.config import TrainingSettings
from training.relative.run import run as fit

DATA: Final = Path("../shared/data")


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "relative", help="fit the pair in units of τ and write a run folder", description=__doc__
    )
    parser.add_argument("--data", type=Path, default=DATA, help=f"folder of the data ({DATA})")
    parser.add_argument("--runs", type=Path, help="folder of the run folders (.run/training)")
    parser.add_argument("--no-tracking", action="store_true", help="leave MLflow as it is")
    parser.set_defaults(run=run)


def run(options: Namespace, settings: TrainingSettings) -> int:
    """Fit, write the run folder and log it to MLflow."""
    began, given = time.monotonic(), with_overrides(settings, runs=options.runs)
    folder = fit(options.data, given.runs, say)
    if not options.no_tracking:
        track(folder, given)
    say(f"done      {folder} in {time.monotonic() - began:.0f} s")
    return 0
