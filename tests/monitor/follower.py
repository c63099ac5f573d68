"""A reading loop over a log in memory; dropping it is a kill."""

from prometheus_client import CollectorRegistry

from monitor.config import Settings
from monitor.follow import Session
from monitor.http.board import Board, Shown
from monitor.metrics import MonitorMetrics
from monitor.signals.desk import Desk
from plumbing.kafka import Outbox
from plumbing.stop import Stop
from tests.monitor.world import Log, LogProducer, LogReader


class Monitor:
    """A follower with its surroundings; dropping it is a kill."""

    def __init__(self, log: Log, seed: int = 0, most: int = 40, **more: int) -> None:
        self.board, self.desk = Board(), Desk(lambda: 0.0)
        self.new: list[Shown] = []
        self.metrics = MonitorMetrics(CollectorRegistry())
        self.reader = LogReader(log, seed, most)
        self._now = 0.0
        self.follower = Session(
            self.reader,
            LogReader(log, seed + 1, 500),
            Outbox(lambda: LogProducer(log), Stop().wait),
            self.board,
            self.metrics,
            Settings(**more),
            self.new.extend,
            self.desk,
            clock=self.clock,
            wall=lambda: 0.0,
        )
        self.follower.start()

    def clock(self) -> float:
        self._now += 0.2
        return self._now

    def drain(self) -> None:
        """Read on until all is read and the rarely done checks were done."""
        quiet = 0
        while quiet < 60:
            quiet = 0 if self.follower.step() else quiet + 1

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)
