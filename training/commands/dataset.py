"""``python -m training dataset``: recordings, or a span of ``ticks``, → one Parquet."""

import sys
import tempfile
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from featurizer.slots import MICROSECONDS
from training.captures import count_lines
from training.config import TrainingSettings
from training.cutoffs import tau_of
from training.dataset import Dataset, assemble, build
from training.errors import DatasetError
from training.progress import Bars
from training.stretches import BEGINNING, END

if TYPE_CHECKING:
    from plumbing.kafka import KafkaSettings

OUT: Final = Path(".run/training/dataset.parquet")


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("dataset", help="labelled rows of recordings or of the topic")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--data", type=Path, nargs="+", help="recordings, or folders of them")
    source.add_argument("--from-topic", action="store_true", help="read the topic `ticks`")
    parser.add_argument("--out", type=Path, default=OUT, help=f"the Parquet to write ({OUT})")
    parser.add_argument("--bootstrap", help="broker, host:port; else KAFKA_BOOTSTRAP_SERVERS")
    parser.add_argument("--from", dest="from_us", type=moment, default=BEGINNING, metavar="TIME")
    parser.add_argument("--to", dest="to_us", type=moment, default=END, metavar="TIME")
    parser.add_argument("--feed", action="append", default=[], help="only this feed; repeatable")
    parser.set_defaults(run=run)


def moment(text: str) -> int:
    """Give the epoch microseconds of a time of whole seconds; without a zone it is UTC.

    >>> moment("2026-04-05T22:35")
    1775428500000000
    """
    found = datetime.fromisoformat(text)
    whole = found if found.tzinfo else found.replace(tzinfo=UTC)
    if whole.microsecond:
        raise ValueError(f"found {text}, expected whole seconds")
    return int(whole.timestamp()) * MICROSECONDS


def run(
    options: Namespace, settings: TrainingSettings, kafka: "KafkaSettings | None" = None
) -> int:
    """Write the Parquet and print what became of everything; ``kafka`` is else the environment's.

    Raises:
        DatasetError: names file, row and reason.
    """
    with Bars() as bars:
        if options.from_topic:
            dataset = _from_topic(options, settings, bars, kafka)
        else:
            dataset = _from_files(options, settings, bars)
    for line in count_lines(dataset.counts) + _end_lines(dataset, settings.tau_percentile):
        _say(line)
    return 0


def _from_files(options: Namespace, settings: TrainingSettings, bars: Bars) -> Dataset:
    paths = options.data or settings.data
    if not paths:
        raise DatasetError("found neither --data nor TRAINING_DATA, expected recordings")
    return build(
        paths,
        _say,
        settings.sealed,
        keep=options.out,
        place=settings.place,
        progress=bars,
        tau_percentile=settings.tau_percentile,
    )


def _from_topic(
    options: Namespace, settings: TrainingSettings, bars: Bars, kafka: "KafkaSettings | None"
) -> Dataset:
    from plumbing.kafka import KafkaSettings  # recordings need no broker, nor its client
    from training.topic import Wanted, open_log, read_topic

    kafka = kafka or KafkaSettings()
    if options.bootstrap:
        kafka = kafka.model_copy(update={"bootstrap_servers": options.bootstrap})
    wanted = Wanted(options.from_us, options.to_us, tuple(options.feed), tuple(settings.sealed))
    log = open_log(kafka)
    out: Path = options.out
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=f"{out.name}.", dir=out.parent) as folder:
            work = Path(folder)
            found = read_topic(log, wanted, work / "ticks", bars)
            percentile = settings.tau_percentile
            return assemble(found, _say, work, out, settings.place, bars, percentile)
    finally:
        log.close()


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
