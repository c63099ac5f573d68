"""The training reference: what a model's features and scores looked like when it learned.

It travels in the model folder as ``reference.json``, under ``SHA256SUMS``, so that drift is
always measured against the rows of the very version that serves. It holds derived rows alone:
no price and no time, and the rows of a product stand in the order of their scores.
"""

from collections.abc import Sequence
from math import isfinite
from typing import Final

import msgspec

from featurizer.features import NAMES, REQUIRED, widened
from serving.errors import ArtifactError

SCHEMA_VERSION: Final = 1
MOST_ROWS: Final = 1_000
"""Over all products, far more than there are independent ones among them. A folder as a ConfigMap,
in base64, has to fit into the annotation that ``kubectl apply`` makes of it."""
DIGITS: Final = 6

Row = Sequence[float | None]


class ProductReference(msgspec.Struct, frozen=True, kw_only=True):
    """One product's training rows.

    ``rows`` are in the order of the reference's ``features``, null where unknown; ``scores``
    what the model gave for each; ``prevalence`` the share of spikes among **all** its training
    rows, one a second, null where they had no label; ``of_rows`` how many these were.
    """

    rows: list[list[float | None]]
    scores: list[float]
    prevalence: float | None
    of_rows: int


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """The training rows of each product; ``features`` names the columns."""

    products: dict[str, ProductReference]
    features: list[str] = msgspec.field(default_factory=lambda: list(NAMES))
    schema_version: int = SCHEMA_VERSION


def reference_of(
    products: Sequence[str],
    rows: Sequence[Row],
    scores: Sequence[float],
    spikes: Sequence[bool | None],
    most: int = MOST_ROWS,
) -> Reference:
    """Make the reference of training rows, given in order of time, one a product and second.

    ``rows`` are in the order of ``NAMES``, None or NaN where unknown; ``spikes`` are the labels,
    None where there is none. Each product keeps an equal share of ``most`` rows, evenly
    distant ones, rounded to six digits.

    Raises:
        ValueError: the four differ in length, or there is no row.

    >>> rows = [[0.1] * len(NAMES)] * 3
    >>> made = reference_of(["BTC-USD"] * 3, rows, [0.2, 0.1, 0.3], [True] * 3, 2)
    >>> made.products["BTC-USD"].scores, made.products["BTC-USD"].of_rows
    ([0.2, 0.3], 3)
    """
    lengths = {len(products), len(rows), len(scores), len(spikes)}
    if len(lengths) != 1 or not products:
        raise ValueError(f"found lengths {sorted(lengths)}, expected one length above 0")
    places: dict[str, list[int]] = {}
    for at, product in enumerate(products):
        places.setdefault(product, []).append(at)
    share = max(1, most // len(places))
    return Reference(
        products={
            product: _product([(rows[n], scores[n], spikes[n]) for n in at], share)
            for product, at in sorted(places.items())
        }
    )


def read_reference(data: bytes) -> Reference:
    """Read ``reference.json``, what its rows could not know yet unknown.

    Raises:
        ArtifactError: it cannot go with our features.
    """
    try:
        found = msgspec.json.decode(data, type=Reference)
    except msgspec.DecodeError as exc:
        raise ArtifactError(f"reference.json is no reference: {exc}") from exc
    width = len(found.features)
    known = width >= len(REQUIRED) and found.features == list(NAMES[:width])
    if found.schema_version != SCHEMA_VERSION or not known:
        raise ArtifactError(
            f"reference.json has schema {found.schema_version} and features {found.features},"
            f" expected {SCHEMA_VERSION} and {list(NAMES)}"
        )
    for product, part in found.products.items():
        if len(part.rows) != len(part.scores) or any(len(r) != width for r in part.rows):
            raise ArtifactError(
                f"reference.json, {product}: found {len(part.rows)} rows and"
                f" {len(part.scores)} scores, expected rows of {width} and a score for each"
            )
    return Reference(products={name: _widened(part) for name, part in found.products.items()})


def _widened(part: ProductReference) -> ProductReference:
    return msgspec.structs.replace(part, rows=[widened(row) for row in part.rows])


def encode_reference(reference: Reference) -> bytes:
    """Return the bytes of ``reference.json``; equal for equal references."""
    return msgspec.json.encode(reference) + b"\n"


def _product(found: Sequence[tuple[Row, float, bool | None]], share: int) -> ProductReference:
    labels = [spike for _, _, spike in found if spike is not None]
    picked = sorted((_picked(found, share)), key=lambda one: one[0])
    return ProductReference(
        rows=[row for _, row in picked],
        scores=[score for score, _ in picked],
        prevalence=sum(map(bool, labels)) / len(labels) if labels else None,
        of_rows=len(found),
    )


def _picked(
    found: Sequence[tuple[Row, float, bool | None]], share: int
) -> list[tuple[float, list[float | None]]]:
    """Take evenly distant rows, the last one always."""
    n, wanted = len(found), min(share, len(found))
    kept = (found[(at + 1) * n // wanted - 1] for at in range(wanted))
    return [(_rounded(score), [_known(x) for x in row]) for row, score, _ in kept]


def _known(x: float | None) -> float | None:
    return None if x is None or not isfinite(x) else _rounded(x)


def _rounded(x: float) -> float:
    return float(f"{x:.{DIGITS}g}")
