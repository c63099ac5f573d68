"""``python -m promotion prune``: delete models in a cluster that nothing needs any more."""

import argparse
import tempfile
from pathlib import Path

from plumbing.terminal import say
from promotion.cluster.dependents import dependents_of
from promotion.cluster.errors import ClusterError
from promotion.cluster.model_map import release_of
from promotion.cluster.model_store import ClusterModelStore
from promotion.cluster.record import under_way
from promotion.commands.in_cluster import add_keep, add_place, cluster_of
from promotion.config import PromotionSettings
from promotion.promoter import utc_now


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "prune", help="delete models in a cluster that nothing needs", description=__doc__
    )
    add_place(parser, required=True)
    add_keep(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: PromotionSettings) -> int:
    """Delete ConfigMaps of models; those of any revision, of any pod, and the newest stay."""
    cluster = cluster_of(options)
    server = cluster.model_server()
    if other := under_way(server, utc_now()):
        raise ClusterError(f"found a promotion under way, {other.cause()}, expected none")
    deployments = [server, *dependents_of(cluster)]
    with tempfile.TemporaryDirectory() as scratch:
        store = ClusterModelStore(cluster, release_of(server).fullname, Path(scratch), say)
        gone = store.remove(store.spare(deployments, options.keep))
    say(f"kept      {len(cluster.model_maps())} models; pruned {gone}")
    return 0
