"""The monitor in front of the drift process."""

from tests.monitor.http.test_api import Service, get
from tests.ports import held_port


def test_an_absent_drift_process_is_a_503() -> None:
    """Without it the page is away, and says which address was asked."""
    service = Service(drift_url=f"http://127.0.0.1:{held_port()}")
    status, body, kind = get(service, "/drift")
    assert (status, kind) == (503, "application/problem+json")
    assert body["title"] == "Drift process away" and "/drift" in body["detail"]
