"""``python -m promotion pin``: name models by the chart's values, where GitOps rolls them out.

Those in model-settings, or those named; with ``--to kubernetes`` those that a release serves now.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from promotion.cluster.errors import ClusterError
from promotion.cluster.model_map import (
    Json,
    Provenance,
    config_map,
    files_of,
    prefix_of,
    release_of,
)
from promotion.cluster.pinning import CHART, plain, release_named, values_of
from promotion.cluster.template import served
from promotion.commands import in_cluster
from promotion.config import PromotionSettings
from promotion.model_pair import loaded
from serving.control import VARIANTS


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "pin", help="print the chart's values that name models, for GitOps", description=__doc__
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("name", nargs="?", metavar="RUN", help="id of a run, or a folder of models")
    what.add_argument("--run-folder", type=Path, help="a run folder anywhere")
    parser.add_argument("--out", type=Path, help="folder of the model folders (model-settings)")
    parser.add_argument(
        "--config-maps", type=Path, metavar="FOLDER", help="gets the models' ConfigMaps, for Git"
    )
    in_cluster.add_place(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: PromotionSettings) -> int:
    """Print the values, and write the ConfigMaps where that is asked for."""
    bodies = _serving(options) if options.to else _in_folders(options, settings)
    if options.config_maps:
        options.config_maps.mkdir(parents=True, exist_ok=True)
        for body in map(plain, bodies.values()):
            text = msgspec.json.format(msgspec.json.encode(body), indent=2).decode()
            (options.config_maps / f"{body['metadata']['name']}.json").write_text(text + "\n")
    sys.stdout.write(values_of(bodies))
    return 0


def _serving(options: argparse.Namespace) -> Mapping[str, Json]:
    """Return the ConfigMaps that the model server's Deployment asks for."""
    cluster = in_cluster.cluster_of(options)
    server = cluster.model_server()
    fullname = release_of(server).fullname
    found = {}
    for variant, version in served(server, fullname).items():
        name = prefix_of(fullname, variant) + version
        body = cluster.config_map(name)
        if body is None:
            raise ClusterError(f"found no ConfigMap {name}, expected it: {variant} is served of it")
        found[variant] = body
    return found


def _in_folders(options: argparse.Namespace, settings: PromotionSettings) -> Mapping[str, Json]:
    """Return the ConfigMaps that model folders would be in a release."""
    release = release_named(options.release or CHART, options.namespace or "")
    folders = in_cluster.folders_of(options, settings)
    if missing := [variant for variant in VARIANTS if variant not in folders]:
        raise ClusterError(f"found no model {', '.join(missing)}, expected both variants")
    nobody = Provenance("", "", None, None)
    return {
        variant: config_map(release, loaded(folder), files_of(folder), nobody)
        for variant, folder in folders.items()
    }
