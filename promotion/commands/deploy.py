"""``python -m promotion deploy``: a model folder into the running model server, or back."""

import argparse
from pathlib import Path

from plumbing.terminal import say, user_name
from promotion.commands.promote import lines_of
from promotion.config import PromotionSettings
from promotion.deployment import Deployment, V2Server
from promotion.errors import PromotionError
from promotion.log import Promotion
from promotion.promoter import Promoter


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "deploy", help="have the running model server take a model folder", description=__doc__
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("folder", nargs="?", type=Path, help="a model folder, or one with both")
    what.add_argument("--to-previous", action="store_true", help="what stood in place before")
    parser.add_argument("--server", default="http://127.0.0.1:8080", help="the V2 model server")
    parser.add_argument("--who", default=user_name(), help="who decides (you)")
    parser.add_argument("--because", help="the reason, for the log")
    parser.add_argument("--out", type=Path, help="folder that the server reads (model-settings)")
    parser.add_argument("--kept", type=Path, help="folder that keeps the models of each promotion")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: PromotionSettings) -> int:
    """Deploy or go back; 1 with one line on stderr if the models before stand."""
    root, kept = options.out or settings.out, options.kept or settings.models
    deployment = Deployment(Promoter(root, kept, options.who, say), V2Server(options.server))
    try:
        promotion = _changed(deployment, options)
    except PromotionError as exc:
        say(f"error     {exc}")
        return 1
    if promotion is not None:
        for line in lines_of(promotion, root)[:-1]:
            say(line)
        if (promotion.from_ or {}).get("baseline") != promotion.to["baseline"]:
            say("note      the adapter reads its own baseline, the last resort, when it starts")
    return 0


def _changed(deployment: Deployment, options: argparse.Namespace) -> Promotion | None:
    if options.to_previous:
        return deployment.go_back(options.because)
    return deployment.deploy(options.folder, options.because)
