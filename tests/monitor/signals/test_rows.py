"""A prediction as the machine takes it."""

from msgspec.structs import fields

from monitor.signals.rows import row_of
from signals.row import Budget, Row
from tests.monitor.signals.world import THETA, said


def test_a_row_has_the_values_of_its_prediction() -> None:
    """All that go by the same name are the prediction's own."""
    made = said(3, 0.4, 0.2, after_break=True, notes=["late"])
    row = row_of(made, Budget())
    shared = {field.name for field in fields(Row)} - {"variant", "thresholds", "late"}
    assert {name: getattr(row, name) for name in shared} == {
        name: getattr(made, name) for name in shared
    }
    assert (row.variant, row.late) == ("ml", True)


def test_thresholds_are_those_of_the_budget_in_use() -> None:
    """Of each level its own; a budget that the card refuses leaves none."""
    assert row_of(said(0), Budget(elevated=8, spike=4)).thresholds == THETA
    refused = said(0, thresholds={"elevated": {"8": None}, "spike": {"4": 0.3}})
    assert row_of(refused, Budget()).blind == "no_threshold"


def test_a_model_of_before_leaves_the_state_blind() -> None:
    """It says no severe and has no thresholds."""
    assert row_of(said(0, 0.7, None, thresholds=None), Budget()).blind == "old_model"


def test_why_nothing_is_said_is_why_the_state_is_blind() -> None:
    """The scorer's reason is the state's."""
    assert row_of(said(0, None, None, reason="warming"), Budget()).blind == "warming"
