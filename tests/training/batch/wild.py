"""Seeded events of one product with whatever a stream may bring: for batch beside the engine."""

import random
from collections.abc import Iterator

from msgspec import structs

from ingestor.tick import Event
from tests.featurizer.market import SECOND, SIZES, beat, break_at, tick

START = 1_700_000_000


def wild(seed: int, seconds: int, calm: float = 0.97) -> list[Event]:
    """Events over so many seconds; a share ``calm`` of them brings nothing out of the way.

    Of what is left a tenth ends in a hole.
    """
    return [*_events(random.Random(seed), seconds, calm)]


def _events(chance: random.Random, seconds: int, calm: float) -> Iterator[Event]:
    second, end, mid, number = START, START + seconds, 100.0, 0
    past: list[Event] = [break_at(START * SECOND)]
    yield past[0]
    while second < end:
        wilder = 2.0 ** ((second - START) // 900)  # so that the level rises
        mid *= 1 + chance.gauss(0, chance.choice((2e-6, 2e-5))) * wilder
        for event in _second(chance, second, mid, number):
            past.append(event)
            yield event
        number += 3
        if chance.random() > calm:
            yield from _odd(chance, second, past)
        second += (
            1
            if chance.random() < 0.9 + 0.1 * calm
            else chance.choice((2, 3, 59, 60, 61, 62, 70, 400))
        )


def _second(chance: random.Random, second: int, mid: float, number: int) -> Iterator[Event]:
    """Up to three ticks, some at one time with trade ids that rise or not, or a Beat."""
    half = chance.choice((0.005, 0.01, 0.05))
    sizes = chance.choice(SIZES)
    quote = {"bid": mid - half, "ask": mid + half, "bid_size": sizes[0], "ask_size": sizes[1]}
    kind = chance.random()
    if kind < 0.1:
        yield beat(second, **quote)  # type: ignore[arg-type]
        return
    times = sorted(chance.choice((0, 1, 500_000, 999_999)) for _ in range(chance.choice((1, 2, 3))))
    for k, at in enumerate(times):
        trade = chance.choice((None, 5, number + k, number + k))
        moved = {**quote, "ask": mid + half * (1 + k)}
        yield tick(second * SECOND + at, trade_id=trade, **moved)  # type: ignore[arg-type]


def _odd(chance: random.Random, second: int, past: list[Event]) -> Iterator[Event]:
    """Breaks stamped here, before or ahead; a Beat amid its second; what was there before."""
    kind = chance.randrange(4)
    if kind == 0:
        yield break_at(second * SECOND + chance.choice((-SECOND, 1, 999_999, 10**6, 61 * SECOND)))
    elif kind == 1:
        ahead = second + chance.choice((0, 1))
        at = ahead * SECOND + chance.choice((0, 400_000))
        yield structs.replace(beat(ahead), time_us=at)
    elif kind == 2:
        yield from past[-chance.choice((1, 2, 5)) :]
    else:
        yield break_at(second * SECOND + chance.choice((2, 3, 62)) * SECOND)
        yield tick(second * SECOND + 999_999, trade_id=10**9, bid=99.0, ask=102.0)
