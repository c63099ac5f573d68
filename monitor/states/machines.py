"""A machine for each product: predictions in their order become records of its state."""

from collections.abc import Iterable
from dataclasses import dataclass

from scorer.prediction import Prediction
from signals.machine import Machine
from signals.records import Record
from signals.row import Budget, Row
from signals.state import State


def row_of(prediction: Prediction, budget: Budget) -> Row:
    """Return what the states take of a prediction, with the θ of the budget in use."""
    p = prediction
    return Row(
        product_id=p.product_id,
        feed=p.feed,
        time_us=p.time_us,
        trade_id=p.trade_id,
        prediction_id=p.prediction_id,
        received_us=p.received_us,
        score=p.score,
        severe=p.severe,
        reason=p.reason,
        realized_volatility_60s=p.realized_volatility_60s,
        tau=p.tau,
        tau_status=p.tau_status,
        after_break=p.after_break,
        late=p.late,
        variant=p.model_variant,
        digest=p.digest,
        features_digest=p.features_digest,
        thresholds=budget.thresholds(p.thresholds),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a product stands: its state and, once there is one, the newest row taken."""

    product_id: str
    state: State


class Machines:
    """The machines of all products, under one budget; made anew from the newest records."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._machines: dict[str, Machine] = {}
        self._partitions: dict[str, int] = {}

    def resume(self, records: Iterable[tuple[int, Record]]) -> None:
        """Go on from the newest record of each product, with the partition that it was made of.

        Its offset is -1 if that is of no use.
        """
        for partition, record in records:
            self._machines[record.product_id] = Machine(self.budget, record.state)
            self._partitions[record.product_id] = partition

    def take(self, prediction: Prediction, offset: int, partition: int = 0) -> list[Record]:
        """Take the prediction at an offset of a partition; what was read before is passed over.

        By its offset, as a feed may have come back since then. Offsets of another partition say
        nothing: where a product has moved to one, as when a topic has got more of them, rows are
        passed over by their times.
        """
        name = prediction.product_id
        machine = self._machines.get(name)
        if machine is None:
            machine = self._machines[name] = Machine(self.budget)
        here = self._partitions.get(name, partition) == partition
        if here and offset <= machine.state.offset:
            return []
        before = machine.state
        told = machine.take(row_of(prediction, self.budget), offset)
        if machine.state is not before:
            self._partitions[name] = partition
        return told

    def standing_of(self, product_id: str) -> list[Standing]:
        """Return where one product stands; nothing before its first prediction."""
        machine = self._machines.get(product_id)
        return [] if machine is None else [Standing(product_id, machine.state)]

    def standing(self) -> list[Standing]:
        """Return where each product stands, by name; another thread may ask."""
        return [Standing(name, each.state) for name, each in sorted(self._machines.items())]
