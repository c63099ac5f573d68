"""States on real captures by the shipped pair: no flapping, and no calm in a panic."""

import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from featurizer.engine import FeatureEngine
from featurizer.level.levels import Levels
from featurizer.level.seeds import default_seeds
from ingestor.tick import Break, Event
from monitor.states.machines import Machines
from scorer.variants import Arrived, predictions_of, values_of
from serving.artifact import load_folder
from serving.predictor import open_predictor, outputs_of
from serving.tensor import OUTPUT, SEVERE
from serving.v2 import Scored
from signals.events import Change, End
from signals.records import Record
from signals.row import Budget
from training.data.sources import ReadTask, Source, read

ROOT = Path(__file__).resolve().parents[3]
WILD = ("adv_flat_btc_20260406T1502_10min", "adv_ticker_btc_20260405T2235_20min")
SECOND = 1_000_000
WHOLE_US = 2**60


@cache
def events_of(path: Path) -> tuple[Event, ...]:
    """All events of BTC-USD in a capture."""
    with tempfile.TemporaryDirectory() as work:
        source = read(ReadTask(path, False, Path(work), (), WHOLE_US))
        assert isinstance(source, Source)
        return tuple(e for s in source.shards if s.product == "BTC-USD" for e in s.read())


def records_of(events: Iterable[Event]) -> Iterator[Record]:
    """What the states of the shipped model are on these events."""
    artifact = load_folder(ROOT / "model-settings" / "ml")
    model, engine = open_predictor(artifact), FeatureEngine(Levels(default_seeds()))
    machines, offset = Machines(Budget()), 0
    for event in events:
        row = engine.update(event)
        if row is None:
            continue
        said = outputs_of(model, [values_of(row)])
        scored = Scored(said[OUTPUT], artifact.info, said[SEVERE])
        arrived = Arrived(row, event.received_us, event.received_us)
        [made] = predictions_of([arrived], scored, [], event.received_us)
        yield from machines.take(made, offset)
        offset += 1


def changes(records: Iterable[Record]) -> list[Change]:
    """The changes alone."""
    return [record.event for record in records if isinstance(record.event, Change)]


def without(events: Iterable[Event], first_us: int, last_us: int) -> Iterator[Event]:
    """Leave out what came in a span, and say so by a Break before what follows."""
    cut = False
    for event in events:
        if first_us <= event.time_us < last_us:
            cut = True
            continue
        if cut:
            yield Break(
                feed=event.feed,
                product_id=event.product_id,
                dialect=event.dialect,
                time_us=event.time_us,
                received_us=event.received_us,
                reason="reconnect",
            )
            cut = False
        yield event


@pytest.mark.captures
@pytest.mark.parametrize("name", WILD)
def test_a_wild_capture_does_not_flap(captures: Path, name: str) -> None:
    """At most one start a level in ten minutes, and no run is over within a minute."""
    [path] = captures.glob(f"{name}.*")
    records = list(records_of(events_of(path)))
    started = [run for change in changes(records) for run in change.started]
    assert 1 <= len(started) <= 2
    ended = [record.event.run for record in records if isinstance(record.event, End)]
    assert all((run.end_us or 0) - run.start_us >= 60 * SECOND for run in ended)


@pytest.mark.captures
def test_a_hole_in_a_panic_is_not_calm(captures: Path) -> None:
    """After 45 s without the feed it is unknown, then the spike goes on with its id."""
    [path] = captures.glob(f"{WILD[1]}.*")
    events = events_of(path)
    spike = next(c for c in changes(records_of(events)) if c.mode == "spike")
    hole_us = spike.time_us + 120 * SECOND
    records = list(records_of(without(events, hole_us, hole_us + 45 * SECOND)))
    after = [c for c in changes(records) if c.time_us >= hole_us]
    assert (after[0].mode, after[0].detail) == ("blind", "break")
    back = next(c for c in after if c.mode != "blind")
    assert (back.mode, back.spike, back.started) == ("spike", spike.spike, ())
    assert all(c.mode != "calm" for c in after[: after.index(back) + 1])
