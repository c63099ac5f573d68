"""The state of a machine: its runs, and their ids."""

from signals.state import Run, State, signal_id
from tests.signals.world import row


def test_an_id_is_made_from_content() -> None:
    """Another feed, product, level or second has another one; another row of it has not."""
    ids = {
        signal_id(row(0), 1, 5),
        signal_id(row(0), 2, 5),
        signal_id(row(0), 1, 6),
        signal_id(row(0, feed="g"), 1, 5),
        signal_id(row(0, product_id="ETH-USD"), 1, 5),
    }
    assert len(ids) == 5
    assert signal_id(row(3), 1, 5) in ids


def test_runs_are_those_that_last() -> None:
    """Level 1 first; none in calm."""
    one, two = (
        Run(signal_id=str(level), level=level, start_us=0, tau_entry=1.0)  # type: ignore[arg-type]
        for level in (1, 2)
    )
    assert State(elevated=one, spike=two).runs == (one, two)
    assert State().runs == ()
