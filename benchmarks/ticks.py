"""The ticks that features are measured on: seeded, so that every run has the same."""

from random import Random
from typing import Final

from ingestor.tick import Tick

START_US: Final = 1_790_000_000_000_000


def ticks(count: int, rate: float = 19.6, burst: float = 129.0, product: str = "P") -> list[Tick]:
    """Return ticks at a rate a second, one minute in ten at a burst's, one at least each second.

    Four in ten move the mid, the sizes are new each time, about as in the recordings.
    """
    random, time_us, mid, found = Random(7), START_US, 50_000.0, list[Tick]()
    while len(found) < count:
        fast = time_us // 60_000_000 % 10 == 9
        step = random.expovariate(burst if fast else rate) * 1e6
        time_us += 1 + min(int(step), 999_000)
        if random.random() < 0.4:
            mid *= 1 + random.gauss(0, 2e-5)
        found.append(_tick(product, time_us, mid, len(found) + 1, random))
    return found


def _tick(product: str, time_us: int, mid: float, number: int, random: Random) -> Tick:
    return Tick(
        feed="f",
        product_id=product,
        dialect="advanced",
        time_us=time_us,
        received_us=time_us,
        price=mid,
        bid=round(mid - 0.005, 2),
        ask=round(mid + 0.015, 2),
        bid_size=round(random.random() * 3, 8),
        ask_size=round(random.random() * 3 + 1e-3, 8),
        size=round(random.random(), 8),
        trade_id=number,
    )
