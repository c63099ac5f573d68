"""Machines of many products, gone on with from their records."""

from monitor.signals.machines import Machines
from signals.events import Change
from signals.records import Record
from signals.row import Budget
from tests.monitor.signals.world import said


def changes(records: list[Record]) -> list[tuple[str, str]]:
    """Products and what they changed to."""
    return [(r.product_id, r.event.mode) for r in records if isinstance(r.event, Change)]


def test_products_have_states_of_their_own() -> None:
    """One in a spike leaves the other calm."""
    machines, records = Machines(Budget()), list[Record]()
    for second in range(3):
        records += machines.take(said(second, 0.8, 0.6), 0, 2 * second)
        records += machines.take(said(second, product_id="ETH-USD"), 0, 2 * second + 1)
    assert changes(records) == [("BTC-USD", "spike"), ("ETH-USD", "calm")]
    assert machines.state("ETH-USD").mode == "calm"


def test_a_restored_machine_passes_over_what_was_taken() -> None:
    """Even predictions of a feed before, which would else begin everything anew."""
    first, records = Machines(Budget()), list[Record]()
    for second in range(100):
        records += first.take(said(second, 0.8, 0.6, feed="f" if second < 5 else "g"), 0, second)
    again = Machines(Budget())
    again.restore(records[-1], 0, records[-1].state.offset)
    repeated = [said(s, 0.8, 0.6, feed="f" if s < 5 else "g") for s in range(100)]
    made = [r for offset, one in enumerate(repeated) for r in again.take(one, 0, offset)]
    assert made == []
    assert again.state("BTC-USD") == first.state("BTC-USD")


def test_offsets_of_another_partition_say_nothing() -> None:
    """A product whose partition is another now is taken on."""
    first = Machines(Budget())
    [record] = first.take(said(0), 0, 50)
    again = Machines(Budget())
    again.restore(record, 0, 50)
    again.take(said(5), 1, 3)
    assert again.state("BTC-USD").offset == 3


def test_the_budget_decides_which_thresholds_count() -> None:
    """With sixteen a day a score is a start that it is not with two."""
    modes = []
    for budget in (Budget(2, 2), Budget(16, 16)):
        machines = Machines(budget)
        for second in range(2):
            machines.take(said(second, 0.22, 0.05), 0, second)
        modes.append(machines.state("BTC-USD").mode)
    assert modes == ["calm", "elevated"]
