"""``python -m promotion history``: who put which models in place of which, when and why."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from plumbing.terminal import say
from promotion.cluster.history import table
from promotion.commands import in_cluster
from promotion.config import PromotionSettings
from promotion.errors import PromotionError
from promotion.log import Promotion, read_log
from promotion.model_pair import Digests, digests_in, folders_in

WORDS: Final = 72
HEAD: Final = ("when", "who", "did", "ml", "baseline", "run", "why")


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "history", help="list the promotions and say what is in place", description=__doc__
    )
    parser.add_argument("--out", type=Path, help="folder of the model folders (model-settings)")
    parser.add_argument("--json", action="store_true", help="the lines of the log as they are")
    in_cluster.add_place(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: PromotionSettings) -> int:
    """Print the log, oldest first; 1 if it was tampered with or is not what is in place."""
    if options.to:
        return _in_cluster(options)
    root = options.out or settings.out
    try:
        log = read_log(root)
    except PromotionError as exc:
        say(f"error     {exc}")
        return 1
    if options.json:
        sys.stdout.write(msgspec.json.encode(log).decode() + "\n")
        return 0
    now = digests_in(folders_in(root))
    sys.stdout.writelines(f"{line}\n" for line in lines_of(log, now))
    return 0 if not log or log[-1].to == now else 1


def _in_cluster(options: argparse.Namespace) -> int:
    """Print what the revisions of the model server's Deployment asked for."""
    from promotion.cluster import history
    from promotion.cluster.model_map import release_of

    cluster = in_cluster.cluster_of(options)
    server = cluster.model_server()
    fullname = release_of(server).fullname
    rows = history.rows_of(cluster.replica_sets(server), server, fullname)
    if options.json:
        sys.stdout.write(msgspec.json.encode(rows).decode() + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in history.lines_of(rows, server, fullname))
    return 0


def lines_of(log: Sequence[Promotion], now: Digests | None) -> Iterator[str]:
    """Return a table of the promotions and what is in place now."""
    yield from table([HEAD, *map(_cells, log)])
    yield _standing(log, now)


def _cells(each: Promotion) -> tuple[str, ...]:
    before = each.from_ or {}
    moves = {
        variant: f"{before.get(variant, 'none')[:12]} → {digest[:12]}"
        for variant, digest in each.to.items()
    }
    run = each.run or "unknown"
    return each.when, each.who, each.action, moves["ml"], moves["baseline"], run, _why(each)


def _why(each: Promotion) -> str:
    found = (each.evidence.get(name) for name in ("because", "verdict"))
    words = next((str(reason) for reason in found if reason), "–")
    return words if len(words) <= WORDS else f"{words[: WORDS - 1]}…"


def _standing(log: Sequence[Promotion], now: Digests | None) -> str:
    if now is None:
        return "in place: no whole pair of models"
    text = ", ".join(f"{variant} {digest[:12]}" for variant, digest in now.items())
    if log and log[-1].to != now:
        expected = ", ".join(f"{variant} {digest[:12]}" for variant, digest in log[-1].to.items())
        return f"in place: {text}; expected {expected}: something changed them without a promotion"
    return f"in place: {text}" + ("" if log else "; put there before the first promotion")
