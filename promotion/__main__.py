"""``python -m promotion COMMAND …``: a run's models into place, here or in a cluster, and back."""

import argparse
import os
import sys
from importlib import import_module
from typing import Final

from plumbing.terminal import say

COMMANDS: Final = ("promote", "deploy", "history", "prune", "pin")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 with one line on stderr where something cannot be used."""
    # Golden rows are scored with the bits of training; read when numpy is first imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from promotion.config import PromotionSettings
    from promotion.errors import PromotionError

    parser = argparse.ArgumentParser(prog="python -m promotion", description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        import_module(f"promotion.commands.{name}").add(subparsers)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options, PromotionSettings()))
    except PromotionError as exc:
        say(f"error     {exc}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
