"""The monitor in front of the drift process."""

import asyncio

import pytest

from monitor.http.drift_pages import PASSED_ON, DriftAway, pages_of
from tests.monitor.http.test_api import Service, get
from tests.ports import held_port


def test_an_absent_drift_process_is_a_503() -> None:
    """Without it the page is away, and says which address was asked."""
    service = Service(drift_url=f"http://127.0.0.1:{held_port()}")
    status, body, kind = get(service, "/drift")
    assert (status, kind) == (503, "application/problem+json")
    assert body["title"] == "Drift process away" and "/drift" in body["detail"]


def test_a_monitor_never_asks_itself() -> None:
    """Where another one stands at the address, it sees that the request was passed on."""
    with pytest.raises(DriftAway, match="found a monitor here, expected the drift process"):
        asyncio.run(pages_of("http://127.0.0.1:9", "/drift", {PASSED_ON: "1"}))


def test_without_a_drift_process_that_is_said() -> None:
    """As in the demo, which has none."""
    status, body, _ = get(Service(drift_url=""), "/drift")
    assert (status, body["detail"]) == (503, "MONITOR_DRIFT_URL names no drift process")
