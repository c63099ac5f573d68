"""``python manifests/sbom.py PACKAGE CREATED``: what a packed chart brings and runs, as SPDX 2.3.

Written beside the package: the package by its SHA-256, both models by digest, every image of
``values.yaml``. CREATED is RFC 3339 in UTC, that of the commit, so that it is the same bytes again.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[1]
CHART: Final = ROOT / "charts" / "crypto-volatility"
MODELS: Final = ("ml", "baseline")
PLACE: Final = "https://spdx.org/spdxdocs"

Json = dict[str, Any]


def document(package: Path, created: str, chart: Path) -> Json:
    """Return the document of a packed chart."""
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    packed = _package(about["name"], about["version"], "Apache-2.0")
    packed["checksums"] = [{"algorithm": "SHA256", "checksumValue": digest}]
    brought = [_package(*each, "Apache-2.0") for each in models(chart)]
    images = [_image(name) for name in sorted(set(images_of(chart, about["appVersion"])))]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": package.stem,
        "documentNamespace": f"{PLACE}/{package.stem}-{digest}",
        "creationInfo": {"created": created, "creators": ["Tool: manifests/sbom.py"]},
        "packages": [packed, *brought, *images],
        "relationships": [
            _related("SPDXRef-DOCUMENT", "DESCRIBES", packed),
            *(_related(packed["SPDXID"], "CONTAINS", each) for each in brought),
            *(_related(packed["SPDXID"], "DEPENDS_ON", each) for each in images),
        ],
    }


def models(chart: Path) -> Iterator[tuple[str, str]]:
    """Yield name and digest of each model that a chart brings."""
    for variant in MODELS:
        sums = (chart / "files" / "models" / variant / "SHA256SUMS").read_bytes()
        yield f"model-{variant}", hashlib.sha256(sums).hexdigest()


def images_of(chart: Path, version: str) -> Iterator[str]:
    """Yield the images of a chart's values; ours without a tag have the chart's appVersion."""
    values = yaml.safe_load((chart / "values.yaml").read_text())
    for ours in ("stream", "ml"):
        yield _named(values["image"][ours], version)
    for entry in [values["kafka"], *values["components"].values()]:
        if isinstance(entry["image"], Mapping):
            yield _named(entry["image"], version)


def _named(image: Mapping[str, str], version: str) -> str:
    return f"{image['repository']}:{image.get('tag') or version}"


def _package(name: str, version: str, licence: str = "NOASSERTION") -> Json:
    """Return a package; names of SPDX have letters, digits, dots and dashes."""
    key = re.sub(r"[^A-Za-z0-9.-]", "-", name)
    return {
        "SPDXID": f"SPDXRef-{key}",
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": licence,
        "copyrightText": "NOASSERTION",
    }


def _image(name: str) -> Json:
    repository, _, tag = name.rpartition(":")
    purl = f"pkg:docker/{repository}@{tag}"
    reference = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl"}
    external = [{**reference, "referenceLocator": purl}]
    return {**_package(repository, tag), "externalRefs": external}


def _related(element: str, kind: str, other: Json) -> Json:
    related = {"spdxElementId": element, "relationshipType": kind}
    return {**related, "relatedSpdxElement": other["SPDXID"]}


def main(package: Path, created: str) -> int:
    """Write the document beside the package."""
    path = package.with_suffix(".spdx.json")
    path.write_text(json.dumps(document(package, created, CHART), indent=2) + "\n")
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
