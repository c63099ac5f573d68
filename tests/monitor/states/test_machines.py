"""A machine for each product: predictions become records, and each goes on from its newest."""

from msgspec.structs import replace

from monitor.states.machines import Machines, row_of
from signals.row import Budget, Thresholds
from tests.featurizer.market import START, tick
from tests.monitor.world import SECOND, predicted

THETA: dict[str, dict[str, float | None]] = {
    "elevated": {"8": 0.3, "16": None},
    "spike": {"4": 0.2},
}
MADE = predicted(
    tick(START, trade_id=1),
    score=0.5,
    severe=0.1,
    thresholds=THETA,
    tau_status="seeded",
    notes=["late"],
)


def test_a_row_has_the_thresholds_of_the_budget() -> None:
    """A refused one has none, and then nothing can be said."""
    row = row_of(MADE, Budget())
    assert (row.thresholds, row.score, row.severe, row.late) == (
        Thresholds(0.3, 0.2),
        0.5,
        0.1,
        True,
    )
    assert (row.tau, row.tau_status, row.variant) == (MADE.tau, "seeded", "ml")
    assert row_of(MADE, Budget(elevated=16)).blind == "no_threshold"
    assert row_of(replace(MADE, severe=None, thresholds=None), Budget()).blind == "old_model"


def test_products_have_states_of_their_own() -> None:
    """Each is where its own predictions brought it."""
    machines = Machines(Budget())
    for at in range(3):
        made = predicted(tick(START + at * SECOND, trade_id=at + 1), severe=0.9, thresholds=THETA)
        machines.take(made, at)
    machines.take(replace(MADE, product_id="ETH-USD", score=None, reason="warming"), 7)
    btc, eth = machines.standing()
    assert (btc.product_id, btc.state.mode, eth.state.mode) == ("BTC-USD", "spike", "blind")
    assert (machines.standing_of("ETH-USD"), machines.standing_of("SOL-USD")) == ([eth], [])


def test_what_was_read_before_is_passed_over() -> None:
    """By its offset: a feed that came back since then would look new."""
    machines = Machines(Budget())
    [*_, record] = machines.take(MADE, 5)
    resumed = Machines(Budget())
    resumed.resume([(0, record)])
    other = replace(MADE, feed="another", time_us=MADE.time_us + SECOND)
    assert resumed.take(other, 5) == []
    assert resumed.take(other, 6)
    assert resumed.standing()[0].state.offset == 6


def test_offsets_of_another_partition_say_nothing() -> None:
    """A product that moved to another partition goes on there, from whatever offset."""
    machines, made = Machines(Budget()), [
        predicted(tick(START + at * SECOND, trade_id=at + 1), severe=0.9, thresholds=THETA)
        for at in range(5)
    ]
    for at in range(3):
        machines.take(made[at], 1_000 + at, 4)
    assert machines.take(made[1], 0, 9) == [], "by its time, as it was taken already"
    assert machines.take(made[1], 1_001, 4) == []
    machines.take(made[3], 1, 9)
    [standing] = machines.standing()
    assert (standing.state.offset, standing.state.last) == (1, row_of(made[3], Budget()))
    assert machines.take(made[3], 1, 9) == [], "by its offset, there too"
    machines.take(made[4], 2, 9)
    assert machines.standing()[0].state.last == row_of(made[4], Budget())


def test_a_machine_goes_on_in_another_partition_after_a_restart() -> None:
    """The record tells which one its offset is of."""
    machines = Machines(Budget())
    [*_, record] = machines.take(MADE, 5_000, 3)
    resumed, later = Machines(Budget()), replace(MADE, time_us=MADE.time_us + SECOND)
    resumed.resume([(3, record)])
    assert resumed.take(MADE, 2, 7) == []
    resumed.take(later, 3, 7)
    assert resumed.standing()[0].state.offset == 3
