"""The manifest of a dataset: what went in, under which definitions, and what became of it."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from featurizer.features import FEATURES_DIGEST, NAMES, names_of
from featurizer.labels import HORIZON
from training.batch.labelled import FULL_COVERAGE
from training.data.captures import Capture, counts_of
from training.data.splits import groups_of
from training.errors import DatasetError

SCHEMA_VERSION: Final = 2
LABEL_RULE: Final = (
    f"volatility of the next {HORIZON} s, never across a break; usable with a slot for each of"
    f" the 300 s before (coverage {FULL_COVERAGE:g}); one row per product and second, its"
    " last, and of quiet seconds each tenth"
)


def tau_rule(percentile: float) -> str:
    """Return in words how τ is made of a dataset, as it enters the digest."""
    return (
        f"percentile {percentile:g} of the next {HORIZON} s' volatility over the product's usable"
        " rows of all training captures pooled"
    )


class Manifest(msgspec.Struct, frozen=True):
    """What stands in the Parquet's metadata."""

    schema_version: int
    digest: str
    features: list[str]
    features_digest: str
    label_rule: str
    tau_rule: str
    captures: tuple[Capture, ...]
    group: tuple[int, ...]
    left_out: tuple[tuple[str, str], ...]
    counts: dict[str, int]


def manifest_of(
    captures: tuple[Capture, ...], left_out: tuple[tuple[str, str], ...], tau: str
) -> Manifest:
    group = groups_of([(c.first_us, c.last_us) for c in captures])
    return Manifest(
        schema_version=SCHEMA_VERSION,
        digest=digest_of([capture.sha256 for capture in captures], tau),
        features=list(NAMES),
        features_digest=FEATURES_DIGEST,
        label_rule=LABEL_RULE,
        tau_rule=tau,
        captures=captures,
        group=tuple(group),
        left_out=left_out,
        counts=counts_of(captures, left_out),
    )


def digest_of(inputs: Iterable[str], tau: str) -> str:
    """Return the content address: inputs by their SHA-256, definitions of features, label and τ."""
    named: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "inputs": sorted(inputs),
        "features_digest": FEATURES_DIGEST,
        "label_rule": LABEL_RULE,
        "tau_rule": tau,
    }
    return hashlib.sha256(msgspec.json.encode(named, order="sorted")).hexdigest()


def decode(data: bytes, path: Path) -> Manifest:
    try:
        metadata = msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError as exc:
        raise DatasetError(f"{path}: {exc} in its metadata, expected a dataset's") from exc
    if names_of(metadata.features_digest) is None:
        raise DatasetError(
            f"{path}: found feature definitions {metadata.features_digest[:12]}, expected"
            f" {FEATURES_DIGEST[:12]}: build the dataset anew"
        )
    return metadata
