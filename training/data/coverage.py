"""Coverage: what of a product's time is known, and where it is not."""

from dataclasses import dataclass, field

from featurizer.slots import MICROSECONDS
from ingestor.tick import Break, Event, Tick


@dataclass(slots=True)
class Coverage:
    """One product in one capture, counted event by event in their order.

    ``first_us`` and ``last_us`` are event times (epoch microseconds), -1 before the first;
    ``seconds`` those with a Tick or Beat, ``gap_seconds`` those without, in ``gaps`` gaps of
    which the longest has ``longest_gap_s``. ``missing_trades`` are those known to be lost.
    """

    first_us: int = -1
    last_us: int = -1
    ticks: int = 0
    sized: int = 0
    beats: int = 0
    seconds: int = 0
    gaps: int = 0
    gap_seconds: int = 0
    longest_gap_s: int = 0
    missing_trades: int = 0
    breaks: dict[str, int] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Count one event; a late one begins no second."""
        if isinstance(event, Break):
            self.breaks[event.reason] = self.breaks.get(event.reason, 0) + 1
            self.missing_trades += event.missing or 0
            return
        if isinstance(event, Tick):
            self.ticks += 1
            self.sized += event.bid_size is not None and event.ask_size is not None
        else:
            self.beats += 1
        self._second(event.time_us)

    def _second(self, time_us: int) -> None:
        last = self.last_us // MICROSECONDS
        if self.first_us < 0:
            self.first_us, last = time_us, time_us // MICROSECONDS - 1
        second = time_us // MICROSECONDS
        if second > last:
            self.seconds += 1
            if second > last + 1:
                self._gap(second - last - 1)
        self.last_us = max(self.last_us, time_us)

    def _gap(self, seconds: int) -> None:
        self.gaps += 1
        self.gap_seconds += seconds
        self.longest_gap_s = max(self.longest_gap_s, seconds)

    @property
    def share(self) -> float:
        """The share of the seconds from first to last that are known, 0…1."""
        return self.seconds / max(self.seconds + self.gap_seconds, 1)

    @property
    def sized_share(self) -> float:
        """The share of the ticks with both sizes, 0…1."""
        return self.sized / max(self.ticks, 1)
