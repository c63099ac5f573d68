"""Settings of the monitor, out of the environment."""

import pytest
from pydantic import ValidationError

from monitor.config import Settings


def test_budgets_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words there, numbers here; four that a card has θ for."""
    monkeypatch.setenv("MONITOR_BUDGET_ELEVATED", "16")
    monkeypatch.setenv("MONITOR_BUDGET_SPIKE", "2")
    settings = Settings()
    assert (settings.budget_elevated, settings.budget_spike) == (16, 2)


@pytest.mark.parametrize("found", ["5", "many", ""])
def test_a_budget_without_thresholds_is_refused(
    monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    """The process says so and does not start blind."""
    monkeypatch.setenv("MONITOR_BUDGET_SPIKE", found)
    with pytest.raises(ValidationError, match="budget_spike"):
        Settings()
