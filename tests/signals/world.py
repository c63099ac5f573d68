"""Predictions for the laws of the states: a small product that is calm, wild, silent or gone."""

import random
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from msgspec.structs import replace

from signals.events import Change, End, Event, Verdict
from signals.machine import Machine
from signals.records import Record
from signals.row import Row, Thresholds
from signals.seconds import Columns, Seconds

SECOND = 1_000_000
FIRST = 1_700_000_400
"""A second at which a bin of ten minutes begins."""
TAU = 1e-3
THETA = Thresholds(elevated=0.25, spike=0.3)


def row(second: int, score: float | None = 0.05, severe: float | None = 0.01, **more: Any) -> Row:
    """A prediction at the beginning of a second after ``FIRST``, in a calm minute."""
    time_us = more.pop("time_us", (FIRST + second) * SECOND)
    fields: dict[str, Any] = {
        "product_id": "BTC-USD",
        "feed": "f",
        "trade_id": 1,
        "prediction_id": f"p{time_us}",
        "received_us": time_us,
        "reason": None,
        "realized_volatility_60s": 0.3 * TAU,
        "tau": TAU,
        "tau_status": "established",
        "after_break": False,
        "late": False,
        "variant": "ml",
        "digest": "d",
        "features_digest": "e",
        "thresholds": THETA,
    }
    return Row(time_us=time_us, score=score, severe=severe, **{**fields, **more})


def rows(seconds: Iterable[int], *values: float, **more: Any) -> list[Row]:
    """A prediction for each of these seconds, all with the same values."""
    return [row(second, *values, **more) for second in seconds]


def played(taken: Iterable[Row], machine: Machine | None = None) -> list[Record]:
    """What a machine records of predictions at the offsets 0, 1, 2 …"""
    machine = machine or Machine()
    return [record for offset, one in enumerate(taken) for record in machine.take(one, offset)]


def happened(records: Iterable[Record]) -> list[Event]:
    """All that was told, without the minutes."""
    return [each.event for each in records if isinstance(each.event, Change | End | Verdict)]


def modes(records: Iterable[Record]) -> list[tuple[int, str]]:
    """The changes: seconds after ``FIRST`` and what the mode was from then on."""
    return [
        (event.time_us // SECOND - FIRST, event.mode)
        for event in happened(records)
        if isinstance(event, Change)
    ]


def verdicts(records: Iterable[Record]) -> list[tuple[int, str]]:
    """The verdicts: level and outcome."""
    return [(e.run.level, e.outcome) for e in happened(records) if isinstance(e, Verdict)]


class _Stream:
    """One product: moods with scores and volatilities of their own, and all that interrupts."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.second, self.trade_id = FIRST + self.random.randrange(600), 0
        self.wild, self.rv = 0.0, 0.3
        self.named: dict[str, Any] = {}
        self.past: list[Row] = []

    def made(self, **more: Any) -> Row:
        """The next prediction, in the second under way."""
        self.trade_id += 1
        score = min(0.95, max(0.02, self.random.gauss(self.wild, 0.08)))
        self.rv = 0.9 * self.rv + 0.1 * max(0.1, self.random.gauss(4 * self.wild, 0.5))
        tau = TAU * (1.0, 1.2, 0.8)[self.second // 600 % 3]
        fields: dict[str, Any] = {
            "time_us": self.second * SECOND + self.random.choice((0, 0, 400_000)),
            "trade_id": self.trade_id,
            "score": score,
            "severe": score * self.random.choice((0.3, 0.9, 0.9)),
            "realized_volatility_60s": self.rv * TAU,
            "tau": tau,
        }
        return row(0, **{**fields, **self.named, **more})

    def step(self) -> Iterator[Row]:
        """What a second or a hole brings."""
        chance = self.random.random()
        if chance < 0.02:
            self.wild = self.random.choice((0.03, 0.1, 0.3, 0.6))
        if chance > 0.99:
            yield from self.past[-self.random.choice((1, 3)) :]
        if chance > 0.996:
            variant = self.random.choice(("ml", "baseline"))
            theta = Thresholds(self.random.choice((0.2, 0.3)), self.random.choice((0.25, 0.4)))
            self.named |= {"variant": variant, "digest": variant, "thresholds": theta}
        step = self._on(self.random.random())
        more: dict[str, Any] = {"after_break": self.random.random() < 0.3} if step > 4 else {}
        if self.random.random() < 0.005:
            more |= {"score": None, "severe": None, "reason": "warming"}
        self.second += step
        found = sorted((self.made(**more) for _ in range(self.random.choice((1, 1, 2)))), key=_key)
        self.past += found
        yield from found

    def _on(self, chance: float) -> int:
        if chance < 0.985:
            return 1 if chance < 0.9 else self.random.choice((2, 5, 10))
        return self.random.choice((11, 40, 90, 300, 899, 901, 1_500))

    def feed(self, name: str) -> None:
        """Go over to another feed, whose time is another."""
        self.named["feed"] = name
        self.second -= self.random.choice((0, 500))


def _key(one: Row) -> tuple[int, int]:
    return one.key


def stream(seed: int, steps: int = 1_500, feeds: tuple[str, ...] = ("f",)) -> list[Row]:
    """Predictions of one product with repeats, holes and Breaks, in feed after feed."""
    made, found = _Stream(seed), list[Row]()
    for feed in feeds:
        made.feed(feed)
        for _ in range(steps // len(feeds)):
            found += made.step()
    return found


def columns(taken: Iterable[Row]) -> Columns:
    """Predictions as arrays; those that come again are left out, as the machine does."""
    kept: list[Row] = []
    for one in taken:
        if not kept or one.key > kept[-1].key:
            kept.append(one)
    volatility = "realized_volatility_60s"
    names = ("score", "severe", volatility, "tau")
    values = [[getattr(one, name) for one in kept] for name in names]
    floats = [np.array(column, np.float64) for column in values]
    second = np.array([one.second for one in kept], np.int64)
    return Columns(second, *floats, np.array([one.after_break for one in kept], np.bool_))


def with_theta(taken: Iterable[Row], theta: Thresholds) -> list[Row]:
    """Predictions of one model, under these thresholds."""
    return [replace(one, thresholds=theta) for one in taken]


def seconds_of(count: int, **values: np.ndarray) -> Seconds:
    """Calm seconds, all covered, with the arrays that are given instead."""
    calm = {"smoothed": 0.05, "severe": 0.01, "volatility": 0.3 * TAU, "tau": TAU}
    columns = {name: np.full(count, value) for name, value in calm.items()}
    for name, given in values.items():
        columns[name] = np.broadcast_to(given, count).copy()
    return Seconds(FIRST, np.ones(count, np.bool_), **columns)
