"""What is not marked for it starts no process."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import GUARD
from tests.guard import ProcessStartedError


def spawned() -> None:
    """Start one as pools do."""
    multiprocessing.get_context("spawn").Process(target=print).start()


STARTS: dict[str, Callable[[], object]] = {
    "subprocess": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
    "fork": os.fork,
    "system": lambda: os.system("true"),
    "multiprocessing": spawned,
}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_it_is_refused_in_the_name_of_the_test(start: Callable[[], object]) -> None:
    """Whatever way it starts, and no handler of errors hides it."""
    with pytest.raises(ProcessStartedError, match=r"test_it_is_refused.* expected the mark"):
        start()


@pytest.mark.process
def test_a_marked_test_may_start_them() -> None:
    """The mark ``process`` lets it."""
    assert subprocess.run([sys.executable, "-c", ""], check=False).returncode == 0
    with GUARD.forbidding("another"), pytest.raises(ProcessStartedError, match="another"):
        STARTS["subprocess"]()


def test_a_fixture_marks_its_tests(request: pytest.FixtureRequest) -> None:
    """A test is marked by the fixtures it uses, also by those that they use in turn."""
    tests = {item.name: item for item in request.session.items}
    for item in tests.values():
        fixtures = getattr(item, "fixturenames", ())
        assert ("kafka" in fixtures) <= ("kafka" in item.keywords)
        assert ("processes" in fixtures) <= ("process" in item.keywords)
