"""The runs of any number of products, each with its level."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from featurizer.level.records import (
    DAY_SECONDS,
    MINUTE_SECONDS,
    Bin,
    Closed,
    Day,
    Minute,
)
from featurizer.level.run import DAYS, MINUTES, Run
from featurizer.level.seeds import Seeds
from featurizer.slots import MICROSECONDS
from ingestor.tick import Event

READ_BACK_SECONDS: Final = 302

C = TypeVar("C", Minute, Bin, Day)


@dataclass(frozen=True, slots=True)
class Need:
    """What of a product has to be read in the topics of closed stretches.

    The run is the feed's that began last, but not after ``first_us``. ``minute_us`` and ``day_us``
    are where the oldest minute and the oldest day begin that can count.
    """

    feed: str
    first_us: int
    minute_us: int
    day_us: int


class Levels:
    """Keeps a run for each product; an event of another feed begins a new one."""

    __slots__ = ("_runs", "_seeds")

    def __init__(self, seeds: Seeds | None = None) -> None:
        self._seeds = seeds or Seeds()
        self._runs: dict[str, Run] = {}

    def begin(self, event: Event) -> Run:
        """Begin a run with its first event, of any kind."""
        seed = self._seeds.of(event.feed, event.product_id)
        tau = None if seed is None else seed.tau
        run = Run(event.product_id, event.feed, event.time_us, tau)
        self._runs[event.product_id] = run
        return run

    def take_over(self, run: Run) -> None:
        """Go on with a run that was begun elsewhere."""
        self._runs[run.product_id] = run

    def of(self, product_id: str) -> Run | None:
        """Return the run of a product, None if it has none."""
        return self._runs.get(product_id)

    def forget(self, product_id: str) -> None:
        """Drop a product's run."""
        self._runs.pop(product_id, None)

    def cut_us(self, product_id: str) -> int | None:
        """Return from when on ticks are read back: 302 s before the minute under way began."""
        run = self._runs.get(product_id)
        if run is None or run.second < 0:
            return None
        begun = run.second // MINUTE_SECONDS * MINUTE_SECONDS
        return (begun - READ_BACK_SECONDS) * MICROSECONDS

    def need(self, product_id: str, first_us: int) -> Need:
        """Return what to read for a run of whose ticks the first that counts is ``first_us``."""
        run = self._runs[product_id]
        minute = (run.second // MINUTE_SECONDS - MINUTES) * MINUTE_SECONDS
        day = (run.second // DAY_SECONDS - DAYS) * DAY_SECONDS
        return Need(run.feed, first_us, minute * MICROSECONDS, day * MICROSECONDS)

    def resume(self, needs: Mapping[str, Need], records: Iterable[Closed]) -> None:
        """Complete runs, whose minutes under way were read back, by the records of before."""
        kept: dict[str, list[Closed]] = {product: [] for product in needs}
        for record in records:
            need = needs.get(record.product_id)
            if need and record.feed == need.feed and record.run_us <= need.first_us:
                kept[record.product_id].append(record)
        for product, found in kept.items():
            run_us = max((r.run_us for r in found), default=needs[product].first_us)
            mine = [r for r in found if r.run_us == run_us]
            self._runs[product].resume(run_us, _of(mine, Minute), _of(mine, Bin), _of(mine, Day))


def _of(records: Iterable[Closed], kind: type[C]) -> Iterator[C]:
    return (record for record in records if isinstance(record, kind))
