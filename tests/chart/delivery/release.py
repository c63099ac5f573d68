"""A release that Helm itself installs into the API of `api.py`."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chart.delivery.api import Object, Store, serving
from tests.chart.rendering import CHART, NAMESPACE, RELEASE, Refused


@dataclass(frozen=True, slots=True)
class Release:
    """Helm against one API; ``scratch`` holds its caches."""

    url: str
    store: Store
    scratch: Path

    def helm(self, command: str, *arguments: str) -> str:
        """Run a command for the release; see ``run``."""
        return self.run(command, RELEASE, *arguments)

    def manifest(self) -> str:
        """Return what the newest revision consists of, hooks left out."""
        return self.run("get", "manifest", RELEASE)

    def run(self, *arguments: str) -> str:
        """Run helm and return what it prints; raises ``Refused`` with what it said."""
        place = ("--kube-apiserver", self.url, "--namespace", NAMESPACE)
        home = {"HOME": str(self.scratch), "KUBECACHEDIR": str(self.scratch), "KUBECONFIG": ""}
        done = subprocess.run(
            ["helm", *arguments, *place],
            env={**os.environ, **home},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Refused(done.stderr)
        return done.stdout

    def install(self, *options: str) -> None:
        """Install the chart."""
        self.helm("install", str(CHART), "--disable-openapi-validation", *options)

    def upgrade(self, *options: str) -> None:
        """Upgrade the release to the chart with these values and no others."""
        self.helm("upgrade", str(CHART), "--disable-openapi-validation", *options)

    def one(self, plural: str, name: str) -> Object:
        """Return an object of the release by its name without the release's."""
        return self.store.get(plural, f"{RELEASE}-{name}")


@contextmanager
def released(scratch: Path) -> Iterator[Release]:
    """Yield Helm against an empty API."""
    with serving() as (url, store):
        yield Release(url, store, scratch)
