"""A day of what a model in units of τ sees of a product: one row a minute.

Under an **established** level alone: by a seed, or by the level of a few hours, an hour stands
where it happens to stand, and nothing is known by it. An hour is too short for the rest: measured
in units of a level that is right, quiet hours and wild ones lie as far from an ordinary day as an
ordinary day would under a level wrong by a factor of three (``docs/drift.md``).
"""

from dataclasses import dataclass, field
from math import inf
from typing import Final

from featurizer.features import NAMES
from featurizer.row import FeatureRow
from featurizer.slots import MICROSECONDS
from serving.relative import inputs_of

DAY_SECONDS: Final = 86_400
FOUNDED: Final = "established"
Inputs = tuple[float, ...]
"""What the model sees of a row, from the shortest window to the first unknown one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last row of a minute by ``order``; ``inputs`` is None without an established level."""

    order: tuple[int, int]
    inputs: Inputs | None


@dataclass(slots=True)
class Day:
    """The 24 h of event time of one ``feed`` up to ``end_us``, kept between comparisons.

    ``read_us`` is how far it was read before, so that nobody reads a day twice; -1 at first.
    """

    feed: str
    end_us: int
    read_us: int = -1
    minutes: dict[int, Seen] = field(default_factory=dict)

    @property
    def start_us(self) -> int:
        """The first microsecond of the day."""
        return self.end_us - DAY_SECONDS * MICROSECONDS + 1

    def wants(self, row: FeatureRow) -> bool:
        """Return whether a row belongs to it and was not read before."""
        return row.feed == self.feed and max(self.start_us, self.read_us) <= row.time_us

    def take(self, row: FeatureRow) -> None:
        """Take a row if it belongs to it and is the last of its minute so far."""
        if not self.wants(row):
            return
        self.end_us = max(self.end_us, row.time_us)
        minute, order = row.time_us // (60 * MICROSECONDS), (row.time_us, row.trade_id)
        kept = self.minutes.get(minute)
        if kept is None or kept.order < order:
            self.minutes[minute] = Seen(order, _inputs(row))

    def close(self) -> None:
        """Say that all of it was read; what is older than a day goes."""
        self.read_us = self.end_us
        first = self.start_us
        self.minutes = {m: seen for m, seen in self.minutes.items() if seen.order[0] >= first}

    def founded(self, seconds: int = DAY_SECONDS) -> list[Inputs]:
        """Return the inputs under an established level in its last so many seconds, by time."""
        first = self.end_us - seconds * MICROSECONDS
        rows = [self.minutes[minute] for minute in sorted(self.minutes)]
        return [r.inputs for r in rows if r.inputs is not None and r.order[0] > first]

    @property
    def is_founded(self) -> bool:
        """Whether its newest minute is under an established level."""
        return bool(self.minutes) and self.minutes[max(self.minutes)].inputs is not None


def _inputs(row: FeatureRow) -> Inputs | None:
    tau = row.tau
    if row.tau_status != FOUNDED or tau is None or not 0.0 < tau < inf:
        return None
    return inputs_of([row.features[name] for name in NAMES], tau)
