"""One thread for calls that block."""

import threading

import pytest

from ingestor.courier import Courier


def test_the_courier_works_off_in_order() -> None:
    """One thread makes the calls one after the other and hands back what they raised."""
    courier = Courier()
    seen: list[str] = []
    courier.submit(lambda: seen.append(threading.current_thread().name))
    failed = courier.submit(lambda: [][0])
    courier.submit(lambda: seen.append("last")).result(timeout=60)
    assert seen == ["courier", "last"]
    with pytest.raises(IndexError):
        failed.result(timeout=60)
