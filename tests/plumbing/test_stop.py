"""The wish to end."""

import os
import signal
from collections.abc import Iterator

import pytest

from plumbing.stop import Stop


@pytest.fixture
def handlers() -> Iterator[None]:
    """Puts the signal handlers back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_for_the_end(handlers: None, number: signal.Signals) -> None:
    """SIGTERM and SIGINT set it."""
    stop = Stop().install()
    assert not stop.requested
    os.kill(os.getpid(), number)
    assert stop.wait(60.0) and stop.requested


def test_waiting_ends_without_a_wish() -> None:
    """A wait that times out says that nobody asked."""
    assert Stop().wait(0.01) is False
