"""``python -m promotion promote``: a run's models into model-settings, or those before, again.

With ``--to kubernetes`` the models in model-settings, or those named, into a running cluster.
"""

import argparse
from functools import partial
from pathlib import Path

from plumbing.terminal import say, user_name
from promotion.commands import in_cluster
from promotion.config import PromotionSettings
from promotion.errors import PromotionError
from promotion.log import Promotion, read_log
from promotion.model_pair import folders_in
from promotion.model_store import keep
from promotion.promoter import Promoter, find_run


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "promote",
        help="put models into model-settings/ or a cluster, or go back",
        description=__doc__,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("name", nargs="?", metavar="RUN", help="id of a run, or latest (default)")
    what.add_argument("--run-folder", type=Path, help="a run folder anywhere")
    what.add_argument("--to-previous", action="store_true", help="what stood in place before")
    what.add_argument("--sync", action="store_true", help="only move MLflow's alias to the log")
    parser.add_argument("--who", default=user_name(), help="who decides (you)")
    parser.add_argument("--because", help="the reason, for the log")
    parser.add_argument("--out", type=Path, help="folder of the model folders (model-settings)")
    parser.add_argument("--no-tracking", action="store_true", help="leave MLflow as it is")
    in_cluster.add_place(parser)
    in_cluster.add_keep(parser)
    parser.add_argument(
        "--timeout",
        type=float,
        default=in_cluster.SECONDS,
        metavar="S",
        help=f"seconds for a rollout in a cluster ({in_cluster.SECONDS:.0f})",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: PromotionSettings) -> int:
    """Promote, go back or move the alias; 1 with one line on stderr if that is refused."""
    if options.to:
        if options.sync:
            raise PromotionError("found --sync with --to kubernetes, expected one of them")
        return in_cluster.promote_there(options, settings, in_cluster.stopped_by_signals())
    root = options.out or settings.out
    promoter = Promoter(root, settings.models, options.who, say)
    try:
        folder = _run_folder(options, settings)
        promotion = None if options.sync else _changed(options, settings, promoter, folder)
        if promotion is not None:
            for line in lines_of(promotion, root):
                say(line)
        followed = options.no_tracking or _follow(promoter, settings, folder)
    except PromotionError as exc:
        say(f"error     {exc}")
        return 1
    return 1 if options.sync and not followed else 0


def lines_of(promotion: Promotion, root: Path) -> list[str]:
    """Say what a promotion changed."""
    before = promotion.from_ or {}
    changes = [
        f"{promotion.action:<9} {root / variant}: version {before.get(variant, 'none')[:12]}"
        f" → {digest[:12]}"
        for variant, digest in promotion.to.items()
    ]
    return [*changes, "note      a running model server keeps the models it has until it restarts"]


def _run_folder(options: argparse.Namespace, settings: PromotionSettings) -> Path | None:
    if options.sync or options.to_previous:
        return None
    return options.run_folder or find_run(settings.runs, options.name or "latest")


def _changed(
    options: argparse.Namespace, settings: PromotionSettings, promoter: Promoter, run: Path | None
) -> Promotion | None:
    if run is not None:
        return promoter.promote(run, options.because)
    if options.no_tracking:
        return promoter.go_back(options.because)
    from promotion.tracking.registry import fetch
    from promotion.tracking.runs import tracked_at

    return promoter.go_back(options.because, partial(fetch, tracked_at(settings)))


def _follow(promoter: Promoter, settings: PromotionSettings, run: Path | None) -> bool:
    """Make MLflow's champion what the log says; where MLflow is away, say how to do it later."""
    from promotion.tracking.connection import TrackingError
    from promotion.tracking.runs import crown, log_run, tracked_at

    log = read_log(promoter.root)
    if not log:
        raise PromotionError(f"found no promotion in {promoter.root}, expected one")
    kept = keep(promoter.store, folders_in(promoter.root), log[-1].to)
    try:
        if run is not None:
            log_run(run, settings)
        version = crown(log[-1], folders_in(kept), tracked_at(settings))
    except TrackingError as exc:
        say(f"warning   {exc}")
        say("warning   the promotion stands; later: python -m promotion promote --sync")
        return False
    say(f"champion  crypto-volatility version {version} in MLflow")
    return True
