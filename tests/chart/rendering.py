"""The chart as Helm renders it."""

import importlib.util
import subprocess
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "crypto-volatility"
RELEASE = "crypto-volatility"
NAMESPACE = "somewhere"
KIND = str(CHART / "values-kind.yaml")

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C, where there is one: dashboards take it a tenth of the time."""

Manifest = dict[str, Any]


class Refused(Exception):
    """Helm rendered nothing; the message is what it said."""


def text(*options: str, chart: str = str(CHART), release: str = RELEASE) -> str:
    """Return what `helm template` prints with these options, hooks too."""
    command = ["helm", "template", release, chart, "--namespace", NAMESPACE, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(done.stderr)
    return done.stdout


def load(path: Path) -> ModuleType:
    """Return a module by its file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def rendered(*options: str, chart: str = str(CHART), release: str = RELEASE) -> list[Manifest]:
    """Return all objects of what `helm template` prints with these options."""
    printed = text(*options, chart=chart, release=release)
    return [thing for thing in yaml.load_all(printed, Loader=LOADER) if thing]


def setting(*pairs: str) -> tuple[str, ...]:
    """Return the options that set values, `a.b=c`."""
    return tuple(part for pair in pairs for part in ("--set", pair))


def named(objects: list[Manifest], kind: str) -> dict[str, Manifest]:
    """Return the objects of a kind by name, without the release's."""
    return {
        thing["metadata"]["name"].removeprefix(f"{RELEASE}-"): thing
        for thing in objects
        if thing["kind"] == kind
    }


def one(objects: list[Manifest], kind: str, name: str) -> Manifest:
    """Return the object of a kind and name, without the release's."""
    return named(objects, kind)[name]


def pod_of(thing: Manifest) -> Manifest:
    """Return the spec of the pods that an object makes."""
    spec: Manifest = thing["spec"]
    if thing["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return spec if thing["kind"] == "Pod" else dict(spec["template"]["spec"])


def variables(container: Manifest) -> dict[str, Any]:
    """Return a container's variables; those of a Secret as (secret, key)."""
    found: dict[str, Any] = {}
    for each in container.get("env", []):
        ref = each.get("valueFrom", {}).get("secretKeyRef")
        found[each["name"]] = (ref["name"], ref["key"]) if ref else each["value"]
    return found
