"""What a batch made goes out at once, and stands only when its topic has it."""

import msgspec
from prometheus_client import CollectorRegistry

from ingestor.topics import DEAD_LETTERS, OUTCOMES, SIGNALS
from monitor.http.board import Board
from monitor.join import Joiner
from monitor.metrics import MonitorMetrics
from monitor.places import Places
from monitor.publication import Publication
from monitor.quality import RollingQuality
from monitor.states.machines import Machines
from plumbing.kafka import Outbox, Outgoing
from plumbing.stop import Stop
from signals.records import Record
from signals.row import Budget
from tests.featurizer.market import START, tick
from tests.monitor.world import Log, LogProducer, predicted


class Published:
    """A publication over a log in memory."""

    def __init__(self) -> None:
        self.log, self.board, self.joiner = Log(1), Board(), Joiner(1_800)
        self.told = list[Record]()
        self.publication = Publication(
            Outbox(lambda: LogProducer(self.log), Stop().wait),
            self.board,
            MonitorMetrics(CollectorRegistry()),
            self.joiner,
            Places(),
            RollingQuality(3_600),
            self.told.append,
            wall=lambda: 0.0,
        )


def test_all_that_a_batch_made_goes_out_once() -> None:
    """Outcomes, states and letters, each to its topic; the next delivery has none of them."""
    published, made = Published(), predicted(tick(START, trade_id=1))
    published.publication.tell(states := Machines(Budget()).take(made, 0))
    published.publication.refuse(Outgoing(DEAD_LETTERS.name, "", b"{}", {}))
    published.joiner.add(made)
    matured = published.joiner.give_up(made)
    assert published.told == [] and published.board.outcome(made.prediction_id) is None
    published.publication.deliver([matured])
    published.publication.deliver([])
    counts = [len(published.log.of(topic.name)) for topic in (OUTCOMES, SIGNALS, DEAD_LETTERS)]
    assert counts == [1, len(states), 1] and len(states) > 0
    assert published.told == states
    assert published.board.outcome(made.prediction_id) == matured.outcome
    assert msgspec.json.decode(published.log.of(OUTCOMES.name)[0].value)["label"] is None
