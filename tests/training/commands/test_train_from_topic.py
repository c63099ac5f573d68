"""``python -m training train --from-topic``: from what the topic holds to a candidate."""

import random
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestor.tick import Tick, encode
from ingestor.topics import TICKS
from plumbing.kafka import KafkaSettings, Producer, ensure_topics
from promotion.run_folder import model_folder, read_run
from serving.artifact import load_folder
from tests.training.light import light_candidates
from training.commands import train as command
from training.config import TrainingSettings
from training.data.dataset import read_parquet
from training.errors import DatasetError, TrainingError

MakeTick = Callable[..., Tick]


def options(*arguments: str) -> Namespace:
    """Parse arguments of the command."""
    parser = ArgumentParser()
    command.add(parser.add_subparsers())
    return parser.parse_args(["train", "--from-topic", "--no-tracking", *arguments])


def fill(settings: KafkaSettings, tick: MakeTick, feed: str, start: int, seconds: int) -> None:
    """Send a market that moves five times as far in every other period of 100 s."""
    chance, mid = random.Random(start), 60_000.0
    producer = Producer(settings, linger_ms=5)
    for second in range(seconds):
        mid *= 1 + chance.gauss(0.0, 5e-5 if second // 100 % 2 else 1e-5)
        event = tick(start + second, mid, feed)
        producer.send(TICKS.name, event.product_id, encode(event))
    producer.flush()
    producer.close()


@pytest.mark.kafka
def test_a_topic_becomes_a_candidate(
    tick: MakeTick, tmp_path: Path, kafka_settings: KafkaSettings
) -> None:
    """The run folder has both models, the evidence and the rows they rest on, and nothing else."""
    ensure_topics(kafka_settings, [TICKS])
    for number in (1, 2):
        fill(kafka_settings, tick, f"rec@{number}", number * 100_000, 900)
    given, here = options(), TrainingSettings(runs=tmp_path, backend="sequential")
    with light_candidates():
        assert given.run(given, here, kafka_settings) == 0
    (folder,) = tmp_path.iterdir()
    record = read_run(folder)
    for name in record.variants().values():
        assert load_folder(model_folder(folder, name), digest=record.digests[name])
    assert record.evidence["verdict"]
    dataset = read_parquet(folder / "dataset.parquet")
    assert dataset.digest == record.dataset_digest
    assert [capture.file for capture in dataset.captures] == ["ticks:rec@1", "ticks:rec@2"]


@pytest.mark.kafka
def test_too_little_leaves_nothing(
    tick: MakeTick, tmp_path: Path, kafka_settings: KafkaSettings
) -> None:
    """A topic too short for a row is refused with the reason, and no file is left."""
    ensure_topics(kafka_settings, [TICKS])
    fill(kafka_settings, tick, "rec@1", 100_000, 200)
    given = options()
    with pytest.raises(DatasetError, match="too short: 199 s"):
        given.run(given, TrainingSettings(runs=tmp_path, backend="sequential"), kafka_settings)
    assert not list(tmp_path.iterdir())


def test_the_seal_is_opened_for_recordings_only(tmp_path: Path) -> None:
    """A topic has no holdout recording to open."""
    given = options("--open-sealed")
    with pytest.raises(TrainingError, match="expected it with recordings"):
        given.run(given, TrainingSettings(runs=tmp_path))
