"""The release of before, as it was: its tree and images, which the upgrade drills begin with.

``python -m tests.e2e.before`` builds its images and prints their names. A drill of a later
release begins with another one by changing the two constants. The image ``ml`` has the libraries
of the present tree, so that its largest layer, over a gigabyte, is neither built nor loaded into
a cluster twice; ``stream``, which writes and reads the topics, is in all the release's own.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.e2e.stack import ROOT

RELEASE: Final = "0.1.0"
COMMIT: Final = "3c6eee6f22c65ae6d5d5b4b1dfef825a8181442d"
TREE: Final = ROOT / ".run" / "before" / COMMIT[:12]
MODELS: Final = TREE / "model-settings"
IMAGES: Final = {name: f"crypto-volatility/{name}:{RELEASE}" for name in ("stream", "ml")}
LIBRARIES: Final = Path("requirements", "ml.txt")


class NoReleaseError(RuntimeError):
    """The repository has no such commit: it was cloned without its history."""


def unpack(tree: Path = TREE, commit: str = COMMIT, repository: Path = ROOT) -> Path:
    """Take the tree of a commit from git, unless it is there, and return its folder.

    Raises:
        NoReleaseError: the repository does not have the commit.
    """
    if tree.exists():
        return tree
    archive = subprocess.run(
        ["git", "-c", "tar.umask=0022", "archive", commit], cwd=repository, capture_output=True
    )
    if archive.returncode:
        said = archive.stderr.decode().strip()
        raise NoReleaseError(f"found no commit {commit}, expected a clone with history: {said}")
    unfinished = tree.with_name(f"{tree.name}.{os.getpid()}")
    unfinished.mkdir(parents=True)
    subprocess.run(["tar", "-x"], cwd=unfinished, input=archive.stdout, check=True)
    return unfinished.rename(tree)


def build() -> None:
    """Build the release's images by its own files, and ``ml`` on the libraries that are there."""
    shutil.copy(ROOT / LIBRARIES, unpack() / LIBRARIES)
    told = {"TAG": RELEASE, "REVISION": COMMIT[:7]}
    command = ["docker", "compose", "build", "topics", "mlserver"]
    subprocess.run(command, cwd=TREE, env={**os.environ, **told}, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    build()
    sys.stdout.write(" ".join(IMAGES.values()) + "\n")
