"""W3C trace context."""

import pytest

from plumbing.tracing.trace import UNTRACED, child_of, headers_of

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_child_keeps_the_trace_and_has_its_own_span() -> None:
    """Version, trace id and flags stay, the span id changes."""
    parent, child = TRACE, child_of(TRACE)
    assert child is not None
    assert parent.split("-")[1] == child.split("-")[1]
    assert parent.split("-")[2] != child.split("-")[2]
    assert [len(part) for part in child.split("-")] == [2, 32, 16, 2]


@pytest.mark.parametrize(
    "bad", [None, "", "nonsense", "00-" + "0" * 32 + "-" + "1" * 16 + "-01", "ff-" + "1" * 32]
)
def test_without_a_collector_no_trace_is_begun(bad: str | None) -> None:
    """What is no valid traceparent is not continued, and nothing is said in its place."""
    span = UNTRACED.begin("score", bad)
    assert child_of(bad) is None and headers_of(span.traceparent) == {}


def test_without_a_collector_a_trace_is_carried_on() -> None:
    """Whoever comes after may record it."""
    headers = headers_of(UNTRACED.begin("score", TRACE).traceparent)
    assert [*headers] == ["traceparent"]
    assert headers["traceparent"][:36] == TRACE[:36] and headers["traceparent"] != TRACE
