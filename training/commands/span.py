"""What commands share that read a span of the topic ``ticks``."""

import tempfile
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from featurizer.slots import MICROSECONDS
from training.config import TrainingSettings
from training.data.dataset import Dataset, Say, assemble
from training.data.progress import Progress
from training.data.shards import BEGINNING, END

if TYPE_CHECKING:
    from plumbing.kafka import KafkaSettings

NAME: Final = "dataset.parquet"


def moment(text: str) -> int:
    """Return the epoch microseconds of a time of whole seconds; without a zone it is UTC.

    >>> moment("2026-04-05T22:35")
    1775428500000000
    """
    found = datetime.fromisoformat(text)
    whole = found if found.tzinfo else found.replace(tzinfo=UTC)
    if whole.microsecond:
        raise ValueError(f"found {text}, expected whole seconds")
    return int(whole.timestamp()) * MICROSECONDS


def add_span(parser: ArgumentParser) -> None:
    """Register which broker, and which part of the topic."""
    parser.add_argument("--bootstrap", help="broker, host:port; else KAFKA_BOOTSTRAP_SERVERS")
    parser.add_argument("--from", dest="from_us", type=moment, default=BEGINNING, metavar="TIME")
    parser.add_argument("--to", dest="to_us", type=moment, default=END, metavar="TIME")
    parser.add_argument("--feed", action="append", default=[], help="only this feed; repeatable")


def read_span(
    options: Namespace,
    settings: TrainingSettings,
    say: Say,
    progress: Progress,
    *,
    out: Path | None = None,
    kafka: "KafkaSettings | None" = None,
) -> Dataset:
    """Read the span into a dataset; ``out`` is a Parquet to keep it in.

    ``kafka`` is else the environment's.

    Raises:
        DatasetError: there is no broker or topic, or no usable row in the span.
    """
    from plumbing.kafka import KafkaSettings  # recordings need no broker, nor its client
    from training.data.topic import TopicSpan, open_topic, read_topic

    kafka = kafka or KafkaSettings()
    if options.bootstrap:
        kafka = kafka.model_copy(update={"bootstrap_servers": options.bootstrap})
    span = TopicSpan(options.from_us, options.to_us, tuple(options.feed), tuple(settings.holdout))
    reader = open_topic(kafka)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
    prefix, beside = (f"{out.name}.", out.parent) if out is not None else ("training-", None)
    try:
        with tempfile.TemporaryDirectory(prefix=prefix, dir=beside) as folder:
            work = Path(folder)
            found = read_topic(reader, span, work / "ticks", progress)
            percentile = settings.tau_percentile
            return assemble(found, say, work, out, settings.executor, progress, percentile)
    finally:
        reader.close()
