"""``python manifests/render.py``: the chart's kind profile as plain YAML, `manifests/rendered`.

For people who use ``kubectl apply --server-side -k``; upgrades and rollbacks are Helm's.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[1]
CHART: Final = Path("charts") / "crypto-volatility"
RENDERED: Final = ROOT / "manifests" / "rendered"
NAME: Final = "crypto-volatility"
PROFILE: Final = "values-kind.yaml"
DECISIONS: Final = (
    *("gitops=true", "tests.enabled=false"),
    *("serving.models.ml.digest=chart", "serving.models.baseline.digest=chart"),
)
HEAD: Final = f"# Made by `make manifests` from {CHART} and its {PROFILE}: change those.\n"

Manifest = dict[str, Any]


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as a block."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def helm() -> list[Manifest]:
    """Return what Helm makes of the chart. Raises CalledProcessError."""
    command = ["helm", "template", NAME, str(CHART), "--namespace", NAME]
    options = ["--values", str(CHART / PROFILE), "--set", ",".join(DECISIONS)]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [thing for thing in yaml.safe_load_all(done.stdout) if thing]


def plain(thing: Manifest) -> Manifest:
    """Return an object without what only Helm understands."""
    metadata = thing["metadata"]
    annotations: dict[str, str] = metadata.get("annotations", {})
    kept = {key: text for key, text in annotations.items() if "helm.sh/" not in key}
    metadata = {key: each for key, each in metadata.items() if key != "annotations"}
    metadata["labels"] = {**metadata["labels"], "app.kubernetes.io/managed-by": "kubectl"}
    if kept:
        metadata["annotations"] = kept
    return {**thing, "metadata": metadata}


def namespace() -> Manifest:
    """Return the namespace, which lets restricted pods in only."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAME, "labels": labels},
    }


def files(things: list[Manifest]) -> dict[str, str]:
    """Return the text of each file: one per component, with the namespace and a kustomization."""
    groups: dict[str, list[Manifest]] = {"namespace": [namespace()]}
    for thing in map(plain, things):
        component = thing["metadata"]["labels"]["app.kubernetes.io/component"]
        groups.setdefault(component, []).append(thing)
    texts = {f"{name}.yaml": _yaml(*group) for name, group in groups.items()}
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(texts),
    }
    return {**texts, "kustomization.yaml": _yaml(kustomization)}


def _yaml(*documents: Manifest) -> str:
    return HEAD + "---\n".join(
        yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1_000_000)
        for document in documents
    )


def main() -> int:
    """Write the files, and remove those that are no more."""
    try:
        texts = files(helm())
    except subprocess.CalledProcessError as exc:
        sys.stderr.write(exc.stderr)
        return 1
    RENDERED.mkdir(exist_ok=True)
    for path in RENDERED.glob("*.yaml"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (RENDERED / name).write_text(text)
    sys.stdout.write(f"{len(texts)} files in {RENDERED.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
