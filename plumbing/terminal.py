"""Who sits at the terminal, and a line for them."""

import contextlib
import getpass
import os
import sys


def user_name() -> str:
    """Return the name of the user; a container's may have a number only."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def say(line: str) -> None:
    """Write a line to stderr at once; that nobody reads any more must not end what is under way."""
    with contextlib.suppress(OSError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
