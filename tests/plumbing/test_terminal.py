"""The name of the user, and lines on stderr."""

import getpass
import os
import sys

import pytest

from plumbing.terminal import say, user_name


def test_the_user_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the one that the system knows."""
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    assert user_name() == "ada"


@pytest.mark.parametrize("error", [KeyError("uid not found"), OSError("no such user")])
def test_a_user_without_a_name_has_a_number(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container may run as a number that no file names; Python 3.13 says so by an OSError."""

    def nameless() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert user_name() == f"uid {os.getuid()}"


def test_a_line_is_written_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """It stands on stderr, which is not mixed with what a command prints."""
    say("stored    it")
    assert capsys.readouterr() == ("", "stored    it\n")


def test_a_reader_who_left_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe that nobody reads any more ends nothing."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", buffering=1) as closed:
        monkeypatch.setattr(sys, "stderr", closed)
        say("nobody reads this")
        monkeypatch.undo()
        with pytest.raises(BrokenPipeError):
            closed.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), write)
