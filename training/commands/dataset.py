"""``python -m training dataset``: recordings, or a span of ``ticks``, → one Parquet."""

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from training.commands.bars import Bars
from training.commands.span import NAME, add_span, read_span
from training.config import TrainingSettings
from training.data.captures import count_lines
from training.data.dataset import Dataset, build
from training.data.thresholds import tau_of
from training.errors import DatasetError

if TYPE_CHECKING:
    from plumbing.kafka import KafkaSettings

OUT: Final = Path(".run/training") / NAME


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("dataset", help="labelled rows of recordings or of the topic")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--data", type=Path, nargs="+", help="recordings, or folders of them")
    source.add_argument("--from-topic", action="store_true", help="read the topic `ticks`")
    parser.add_argument("--out", type=Path, default=OUT, help=f"the Parquet to write ({OUT})")
    add_span(parser)
    parser.set_defaults(run=run)


def run(
    options: Namespace, settings: TrainingSettings, kafka: "KafkaSettings | None" = None
) -> int:
    """Write the Parquet and print what became of everything; ``kafka`` is else the environment's.

    Raises:
        DatasetError: names file, row and reason.
    """
    with Bars() as bars:
        if options.from_topic:
            dataset = read_span(options, settings, _say, bars, out=options.out, kafka=kafka)
        else:
            dataset = _from_files(options, settings, bars)
    for line in (
        *count_lines(dataset.counts),
        *(f"left out  {name}: {reason}" for name, reason in dataset.left_out),
        *_end_lines(dataset, settings.tau_percentile),
    ):
        _say(line)
    return 0


def _from_files(options: Namespace, settings: TrainingSettings, bars: Bars) -> Dataset:
    paths = options.data or settings.data
    if not paths:
        raise DatasetError("found neither --data nor TRAINING_DATA, expected recordings")
    return build(
        paths,
        _say,
        settings.holdout,
        keep=options.out,
        executor=settings.executor,
        progress=bars,
        tau_percentile=settings.tau_percentile,
    )


def _end_lines(dataset: Dataset, percentile: float) -> list[str]:
    tau = tau_of(dataset.table, percentile)
    lines = [
        f"tau       {product}: {value:.6e} (log return over 60 s), percentile {percentile:g} of"
        f" {int((dataset.table.product == product).sum())} rows"
        for product, value in tau.items()
    ]
    return [*lines, f"digest    {dataset.digest}", f"wrote     {dataset.path}"]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
