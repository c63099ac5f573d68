"""What was found where the days are: kept in the package with its digest, for where they are not.

The days themselves are no part of the project.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from training.errors import DatasetError

STORED: Final = Path(__file__).with_name("stored.json")


def digest_of(found: Mapping[str, Any]) -> str:
    """Return the digest of figures, whatever order their names stand in."""
    text = json.dumps(found, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def document_of(found: Mapping[str, Any]) -> str:
    """Return the JSON that is kept: the figures and their digest."""
    kept = {"digest": digest_of(found), "found": found}
    return json.dumps(kept, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def figures(
    data: Path, absent: Sequence[str], find: Callable[[Path], dict[str, Any]], kept: Path = STORED
) -> tuple[str, dict[str, Any]]:
    """Return what the days in ``data`` say, or what is kept where any is absent, and which it is.

    Raises:
        DatasetError: a file cannot be read.
    """
    if absent:
        digest, found = read_stored(kept)
        return f"stored figures of digest {digest}: found no {', '.join(absent)} in {data}", found
    found = find(data)
    return f"figures of digest {digest_of(found)}, of the days in {data}", found


def read_stored(path: Path = STORED) -> tuple[str, dict[str, Any]]:
    """Return digest and figures that are kept.

    Raises:
        DatasetError: it cannot be read, or the figures have another digest.
    """
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        digest, found = str(kept["digest"]), dict(kept["found"])
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise DatasetError(f"{path.name}: found {exc!r}, expected figures and digest") from exc
    if digest_of(found) != digest:
        raise DatasetError(f"{path.name}: found figures of {digest_of(found)}, expected {digest}")
    return digest, found
