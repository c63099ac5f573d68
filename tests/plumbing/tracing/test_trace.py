"""W3C trace context."""

import pytest

from plumbing.tracing.trace import child_of, new_traceparent


def test_a_child_keeps_the_trace_and_has_its_own_span() -> None:
    """Version, trace id and flags stay, the span id changes."""
    parent = new_traceparent()
    child = child_of(parent)
    assert parent.split("-")[1] == child.split("-")[1]
    assert parent.split("-")[2] != child.split("-")[2]
    assert [len(part) for part in child.split("-")] == [2, 32, 16, 2]


@pytest.mark.parametrize(
    "bad", [None, "", "nonsense", "00-" + "0" * 32 + "-" + "1" * 16 + "-01", "ff-" + "1" * 32]
)
def test_a_malformed_parent_begins_a_new_trace(bad: str | None) -> None:
    """What is no valid traceparent is not continued."""
    assert child_of(bad).startswith("00-") and child_of(bad) != child_of(bad)
