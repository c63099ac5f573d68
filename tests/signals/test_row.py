"""What is taken of a prediction, and when nothing can be said of it."""

import pytest

from signals.row import Budget, Thresholds
from tests.signals.world import row

CARD = {"elevated": {"8": 0.2, "16": None}, "spike": {"4": 0.3}}


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, None),
        ({"score": None, "reason": "thin"}, "thin"),
        ({"score": None}, "unscored"),
        ({"severe": None}, "old_model"),
        ({"tau": None}, "old_model"),
        ({"thresholds": None}, "no_threshold"),
    ],
)
def test_why_a_row_is_blind(more: dict[str, object], reason: str | None) -> None:
    """A null score has a reason; a model of before and one without θ have no state either."""
    assert row(0, **more).blind == reason  # type: ignore[arg-type]


def test_theta_is_that_of_the_budget() -> None:
    """One level without θ, as its budget was refused, is no threshold at all."""
    assert Budget().thresholds(CARD) == Thresholds(0.2, 0.3)
    for budget in (Budget(16, 4), Budget(8, 2), Budget(4, 4)):
        assert budget.thresholds(CARD) is None
    assert Budget().thresholds(None) is None


def test_the_key_of_a_row_is_its_order() -> None:
    """Event time, then the trade; the second is that of event time."""
    first, second = row(3, trade_id=1), row(3, trade_id=2)
    assert first.key < second.key < row(4).key
    assert first.second == second.second
