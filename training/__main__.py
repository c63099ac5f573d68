"""``python -m training COMMAND …``: from recordings to models, with their evidence."""

import argparse
import os
import sys
from importlib import import_module
from typing import Final

COMMANDS: Final = (
    "dataset",
    "train",
    "evaluate",
    "compare",
    "seed_figure",
    "minutes",
    "extras",
    "venues",
    "events",
    "relative",
    "rationale",
)


MOVED: Final = ("promote", "deploy", "history", "prune")
"""What 0.1.0 had here."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 with one line on stderr where something cannot be used."""
    # Sums over several threads come in another order; read when numpy is first imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from promotion.errors import PromotionError
    from training.config import TrainingSettings
    from training.errors import TrainingError

    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True)
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] and given[0] in MOVED:
        parser.error(f"{given[0]} has moved: python -m promotion {' '.join(given)}")
    # Most commands import scikit-learn, which takes seconds that a promotion does not have.
    for name in [name for name in COMMANDS if given[:1] == [name]] or COMMANDS:
        import_module(f"training.commands.{name}").add(subparsers)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options, TrainingSettings()))
    except (TrainingError, PromotionError) as exc:
        print(f"error     {exc}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
