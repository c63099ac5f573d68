"""Rows get through a model that is slow, fails at some of them, or is away."""

import asyncio
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from plumbing.backoff import Backoff
from plumbing.kafka import Record
from plumbing.tracing.trace import UNTRACED
from scorer.batches import TRIES, BatchScorer, BatchSize, Held
from scorer.config import Settings
from scorer.metrics import Metrics
from scorer.shadow_client import ShadowClient
from scorer.variants import Arrived, values_of
from serving.control import Serving
from serving.tensor import EXAMPLE_ROW
from serving.v2 import BadResponse, ModelAway, ModelFailed, ModelSlow


class Model:
    """Answers by the fake it wraps, but for what ``fails`` names: rows → error or None."""

    def __init__(self, fake) -> None:
        self._fake, self.fails, self.asked = fake, lambda rows: None, []

    async def infer(self, variant, rows, *, within=None, traceparent=None):
        if list(rows) != [EXAMPLE_ROW]:
            self.asked.append(len(rows))
        exc = self.fails(rows)
        if exc is not None:
            raise exc
        return await self._fake.infer(variant, rows)


@pytest.fixture
def world(bench, make_row):
    """Makes scorers in memory: ``scored(numbers)`` takes rows of these numbers through."""

    def make(most: int = 1000) -> SimpleNamespace:
        runner, stop = asyncio.Runner(), bench().stop
        found = SimpleNamespace(stop=stop, stays=0, holding=[], model=Model(bench().model))

        def stay() -> None:
            found.stays += 1

        settings = Settings(shadows=())
        models = ShadowClient(
            settings, found.model, Serving("ml"), Metrics(CollectorRegistry()), runner.run
        )
        scorer = BatchScorer(
            models,
            most,
            Backoff(0.1, 1.0, draw=max),
            stop,
            stay=stay,
            holding=found.holding.append,
            now_us=lambda: 1,
        )

        def held(number: int) -> Held:
            row = make_row(number)
            record = Record("features", 0, number, 0, "BTC-USD", b"", {})
            return Held(record, Arrived(row, 0, 0), values_of(row), UNTRACED.begin("score"))

        def scored(numbers: range) -> tuple[list[int], list[int]]:
            waiting, times, refused = [held(number) for number in numbers], [], []
            while waiting:
                answered = scorer.first(waiting)
                assert answered is not None
                times += [each.time_us for each in answered.predictions]
                if answered.refused is not None:
                    refused.append(answered.refused.held.record.offset)
                waiting = waiting[answered.rows :]
            return times, refused

        found.scored, found.first, found.held, found.close = (
            scored,
            scorer.first,
            held,
            runner.close,
        )
        worlds.append(found)
        return found

    worlds: list[SimpleNamespace] = []
    yield make
    for each in worlds:
        each.close()


def test_a_batch_that_takes_too_long_is_halved_until_it_fits(world):
    """1,000 rows at 6 ms against 1 s: all are scored, in order, none twice."""
    scorer = world()
    scorer.model.fails = lambda rows: ModelSlow("slow") if len(rows) * 0.006 > 1 else None
    assert scorer.scored(range(1000)) == (list(range(1000)), [])
    assert scorer.model.asked[:4] == [1000, 500, 250, 125]
    assert max(scorer.model.asked[4:]) <= 250
    assert scorer.stop.waits == []


def test_the_size_comes_back_once_the_model_is_fast_again(world):
    """By an eighth with every batch that is answered, up to the most."""
    scorer = world(most=100)
    scorer.model.fails = lambda rows: ModelSlow("slow") if len(rows) > 10 else None
    scorer.scored(range(50))
    scorer.model.fails = lambda rows: None
    scorer.scored(range(3000))
    assert max(scorer.model.asked[-5:]) == 100


@pytest.mark.parametrize("kind", [BadResponse, ModelFailed, ModelSlow])
@pytest.mark.parametrize("bad", [0, 37, 99])
def test_one_row_the_model_cannot_answer_is_refused_and_the_others_scored(world, kind, bad):
    """Found by halving: the model answers the example row, so it is the row."""
    scorer = world()
    poison = scorer.held(bad)
    mark = next(index for index, value in enumerate(poison.values) if value is not None)
    hurt = Held(
        poison.record,
        poison.arrived,
        (*poison.values[:mark], -1e300, *poison.values[mark + 1 :]),
        poison.span,
    )
    scorer.model.fails = lambda rows: kind("no") if any(-1e300 in row for row in rows) else None
    waiting = [hurt if number == bad else scorer.held(number) for number in range(100)]
    times, refused = [], []
    while waiting:
        answered = scorer.first(waiting)
        times += [each.time_us for each in answered.predictions]
        refused += [answered.refused] if answered.refused else []
        waiting = waiting[answered.rows :]
    assert times == [number for number in range(100) if number != bad]
    assert [(each.held.record.offset, each.reason) for each in refused] == [(bad, "no")]
    assert len(scorer.stop.waits) == (0 if kind is BadResponse else TRIES - 1)
    assert scorer.holding[-1] == 0


@pytest.mark.parametrize(
    "exc", [ModelAway("404"), ModelFailed("loading"), ModelSlow("hangs"), BadResponse("strange")]
)
def test_a_model_that_answers_nothing_refuses_no_row(world, exc):
    """Not even the example row is answered: all wait, whole, until it is back or another serves."""
    scorer = world()
    scorer.model.fails = lambda rows: exc if len(scorer.stop.waits) < 20 else None
    assert scorer.scored(range(300)) == (list(range(300)), [])
    assert set(scorer.model.asked) == {300}
    assert scorer.stays == 20
    assert scorer.holding[:20] == [300] * 20


def test_the_end_leaves_what_waits(world):
    """None at the end: nothing of it is committed, and it is read again."""
    scorer = world()
    scorer.model.fails = lambda rows: ModelAway("away")
    scorer.stop.during_wait = lambda count: scorer.stop.request()
    assert scorer.first([scorer.held(1)]) is None


def test_the_size_never_leaves_its_bounds():
    """At least one row, at most as many as the setting says."""
    size = BatchSize(8)
    for _ in range(10):
        size.failed(size.rows)
    assert size.rows == 1
    for _ in range(50):
        size.answered(size.rows)
    assert size.rows == 8
