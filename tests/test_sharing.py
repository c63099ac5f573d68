"""Workers share one broker: one starts it, and none stops it while another needs it."""

import threading
from pathlib import Path

from tests.sharing import SharedBroker
from tests.waiting import patience


class FakeBroker:
    """Says who was started and stopped."""

    bootstrap_servers = "127.0.0.1:9092"

    def __init__(self, journal: list[str]) -> None:
        self._journal = journal

    def start(self) -> "FakeBroker":
        self._journal.append("start")
        return self

    def stop(self) -> None:
        self._journal.append("stop")


def test_it_is_started_once_and_stopped_by_the_last(tmp_path: Path) -> None:
    """Who started it waits for the other to let go."""
    journal: list[str] = []
    first, second = (SharedBroker(tmp_path, lambda _: FakeBroker(journal)) for _ in range(2))
    assert first.obtain() == second.obtain() == "127.0.0.1:9092"
    waiting = threading.Thread(target=first.release)
    waiting.start()
    assert journal == ["start"]
    second.release()
    waiting.join(patience())
    assert journal == ["start", "stop"]


def test_who_comes_later_starts_another(tmp_path: Path) -> None:
    """Nothing of a broker that was stopped is left."""
    journal: list[str] = []
    for _ in range(2):
        shared = SharedBroker(tmp_path, lambda _: FakeBroker(journal))
        shared.obtain()
        shared.release()
    assert journal == ["start", "stop"] * 2
