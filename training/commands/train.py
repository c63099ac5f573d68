"""``python -m training train``: from recordings or ``ticks`` to a chosen, calibrated model."""

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plumbing.terminal import say
from training.commands.overrides import with_overrides
from training.commands.span import NAME, add_span, read_span
from training.config import TrainingSettings
from training.errors import TrainingError

if TYPE_CHECKING:
    from plumbing.kafka import KafkaSettings


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "train", help="choose a model by evidence and write a run folder", description=__doc__
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--data", type=Path, nargs="+", help="recordings, or folders of them")
    source.add_argument("--from-topic", action="store_true", help="read the topic `ticks`")
    add_span(parser)
    parser.add_argument("--runs", type=Path, help="folder of the run folders (.run/training)")
    parser.add_argument(
        "--open-holdout",
        "--open-sealed",  # its name until 0.1.0
        action="store_true",
        help="the final report: evaluate the holdout capture too; run.json records it",
    )
    parser.add_argument("--no-tracking", action="store_true", help="leave MLflow as it is")
    parser.set_defaults(run=run)


def run(
    options: argparse.Namespace,
    settings: TrainingSettings,
    kafka: "KafkaSettings | None" = None,
) -> int:
    """Train, write the run folder and log it to MLflow; 1 only if there is no run folder."""
    began = time.monotonic()
    given = with_overrides(settings, data=options.data, runs=options.runs)
    folder = _trained(options, given, kafka)
    if not options.no_tracking:
        track(folder, given)
    say(f"done      {folder} in {time.monotonic() - began:.0f} s")
    return 0


def _trained(
    options: argparse.Namespace, settings: TrainingSettings, kafka: "KafkaSettings | None"
) -> Path:
    """Return the run folder; that of a topic keeps its rows, as the topic itself forgets them."""
    from training.commands.bars import Bars
    from training.pipeline import run as train

    bars = Bars()
    if not options.from_topic:
        return train(settings, say, open_holdout=options.open_holdout, progress=bars).folder
    if options.open_holdout:
        raise TrainingError("found --open-holdout with --from-topic, expected it with recordings")
    part = settings.runs / f"{NAME}.{os.getpid()}"
    try:
        dataset = read_span(options, settings, say, bars, out=part, kafka=kafka)
        folder = train(settings, say, dataset=dataset, progress=bars).folder
        part.replace(folder / NAME)
    finally:
        part.unlink(missing_ok=True)
    return folder


def track(folder: Path, settings: TrainingSettings) -> None:
    """Log to MLflow; without it the run folder is whole all the same."""
    from promotion.errors import PromotionError
    from promotion.tracking.runs import log_run

    try:
        logged = log_run(folder, settings)
    except PromotionError as exc:
        say(f"untracked {exc}")
    else:
        say(f"tracked   {logged.uri}: run {logged.run_id}, version {logged.version}")
