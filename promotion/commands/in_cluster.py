"""What commands with ``--to kubernetes`` share: options, and the way to the cluster."""

import argparse
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from plumbing.stop import Stop
from plumbing.terminal import say
from promotion.cluster.access import ReleaseSelector
from promotion.cluster.change import Roller, StopSignal
from promotion.cluster.client import ClusterClient, open_cluster
from promotion.cluster.promoter import ClusterPromoter
from promotion.cluster.pruning import KEEP
from promotion.config import PromotionSettings
from promotion.deployment import candidates
from promotion.errors import PromotionError
from promotion.model_pair import Folders, loaded
from promotion.promoter import find_run
from promotion.run_folder import model_folder, read_run
from serving.artifact import MODEL
from serving.control import VARIANTS

KUBERNETES: Final = "kubernetes"
SECONDS: Final = 300.0


def add_place(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """Add the options that name a release in a cluster."""
    group = parser.add_argument_group("in a cluster")
    group.add_argument("--to", choices=[KUBERNETES], required=required, help="a release's models")
    group.add_argument("--namespace", help="of the release (the context's)")
    group.add_argument("--release", help="its name, where the namespace has several")
    group.add_argument("--context", help="of the kubeconfig (the current one)")
    group.add_argument("--kubeconfig", type=Path, help="file (KUBECONFIG, ~/.kube/config, the pod)")


def add_keep(parser: argparse.ArgumentParser) -> None:
    """Add how many models stay."""
    parser.add_argument(
        "--keep",
        type=_count,
        default=KEEP,
        metavar="N",
        help=f"newest models of each variant that stay beside those in use ({KEEP})",
    )


def cluster_of(options: argparse.Namespace) -> ClusterClient:
    """Return the namespace that the options name; raises ``ClusterError`` where that fails."""
    return open_cluster(
        ReleaseSelector(options.namespace, options.release, options.context, options.kubeconfig)
    )


def promote_there(
    options: argparse.Namespace, settings: PromotionSettings, stop: StopSignal, poll: float = 1.0
) -> int:
    """Promote into the cluster, or go back; 1 with one line for each step that failed."""
    stopwatch = Stopwatch(say)
    try:
        folders = {} if options.to_previous else folders_of(options, settings)
        cluster = cluster_of(options)
        roller = Roller(cluster, stopwatch, stop, options.timeout, poll)
        promoter = ClusterPromoter(cluster, roller, options.who, options.keep)
        if options.to_previous:
            promoter.go_back(options.because)
        else:
            promoter.promote(folders, options.because)
    except PromotionError as exc:
        stopwatch(f"error     {exc}")
        return 1
    return 0


def stopped_by_signals() -> Stop:
    """Return the wish to end, set by SIGTERM, SIGINT, and a terminal that goes away."""
    stop = Stop().install()
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # which nohup sets
        signal.signal(signal.SIGHUP, lambda *_: stop.request())
    return stop


def folders_of(options: argparse.Namespace, settings: PromotionSettings) -> Folders:
    """Return the model folders that are meant: of a run, named, or those in model-settings.

    Raises:
        PromotionError: there are none.
    """
    name = options.name
    if options.run_folder or (name and not _has_models(Path(name))):
        return _of_run(options.run_folder or find_run(settings.runs, name))
    named = Path(name) if name else options.out or settings.out
    found = candidates(named, named)
    return {v: path for v, path in found.items() if (path / MODEL).exists()}


@dataclass(slots=True)
class Stopwatch:
    """Says lines with the seconds since the line before; those that begin with … are no step."""

    say: Callable[[str], None]
    last: float = field(default_factory=time.monotonic)

    def __call__(self, line: str) -> None:
        """Say a line."""
        if line.startswith("…"):
            self.say(line)
            return
        now = time.monotonic()
        self.say(f"{line}  ({now - self.last:.1f} s)")
        self.last = now


def _of_run(run: Path) -> Folders:
    record = read_run(run)
    folders = {}
    for variant, name in record.variants().items():
        folders[variant] = model_folder(run, name)
        found = loaded(folders[variant]).info.digest
        if found != record.digests[name]:
            raise PromotionError(
                f"{folders[variant]}: found digest {found}, expected {record.digests[name]}"
            )
    return folders


def _has_models(folder: Path) -> bool:
    return any((folder / part / MODEL).exists() for part in ("", *VARIANTS))


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected 0 or more")
    return int(text)
