"""Finding free ports."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local.ports import free_port, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    """A port somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_shifts_upwards(taken: int) -> None:
    """The next free one above is given."""
    assert not is_free(taken)
    assert free_port(taken) > taken


def test_ports_given_out_already_are_avoided() -> None:
    """Two services never get the same port before they listen."""
    first = free_port()
    assert free_port(first, avoid={first}) != first


@pytest.mark.process
def test_two_processes_never_get_the_same_port_before_they_listen() -> None:
    """It is kept until its process ends; another one gets the next."""
    mine = free_port()
    code = f"from local.ports import free_port; print(free_port({mine}))"
    theirs = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert int(theirs.stdout) > mine
    assert free_port(mine) == mine
