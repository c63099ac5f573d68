"""The machines of all products, each gone on with where its newest record stands."""

from monitor.signals.rows import row_of
from scorer.prediction import Prediction
from signals.machine import Machine
from signals.records import Record
from signals.row import Budget
from signals.state import State


class Machines:
    """Takes predictions in the order of their topic, and returns the records that they make."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._machines: dict[str, Machine] = {}
        self._taken: dict[tuple[str, int], int] = {}

    def restore(self, record: Record, partition: int, taken: int) -> None:
        """Go on from a record; of its partition, what stands up to ``taken`` is passed over."""
        self._machines[record.product_id] = Machine(self.budget, record.state)
        self._taken[record.product_id, partition] = taken

    def take(self, prediction: Prediction, partition: int, offset: int) -> list[Record]:
        """Take the prediction at an offset; one that was taken before is passed over."""
        name = prediction.product_id
        if offset <= self._taken.get((name, partition), -1):
            return []
        machine = self._machines.setdefault(name, Machine(self.budget))
        return machine.take(row_of(prediction, self.budget), offset)

    def state(self, product_id: str) -> State:
        """Return where a product's machine stands."""
        return self._machines[product_id].state
