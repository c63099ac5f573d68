"""The folder of one training: what ``train`` writes and what tracking and promotion read.

``run.json`` (this module), ``report.html``, ``report.json``, ``plots/`` and ``candidates/<name>/``,
the model folders of the winner (as variant ``ml``) and of the baseline.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from promotion.errors import PromotionError

RECORD: Final = "run.json"
CANDIDATES: Final = "candidates"
BASELINE: Final = "baseline"
SCHEMA_VERSION: Final = 1


class RunError(PromotionError):
    """A run folder is not what training writes; the message names folder and field."""


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What ``run.json`` says: enough to find the models and to say why this one won.

    ``created`` is RFC 3339 in UTC; ``winner`` and the keys of ``digests`` and ``metrics`` name
    candidates; ``digests`` are those of their model folders; the values of ``metrics`` may nest
    (``{"pooled": {"brier": 0.05}}``); ``evidence`` is why the winner won, in figures and words.
    """

    run_id: str
    created: str
    dataset_digest: str
    winner: str
    digests: dict[str, str]
    metrics: dict[str, dict[str, Any]]
    parameters: dict[str, Any] = {}
    evidence: dict[str, Any] = {}
    schema_version: int = SCHEMA_VERSION

    def write(self, folder: Path) -> None:
        """Write ``run.json`` into the folder, indented, for people too."""
        data = msgspec.json.format(msgspec.json.encode(self), indent=2)
        (folder / RECORD).write_bytes(data + b"\n")

    def variants(self) -> dict[str, str]:
        """Return the candidate behind each variant that a promotion brings."""
        return {"ml": self.winner, "baseline": BASELINE}


def read_run(folder: Path) -> RunRecord:
    """Read ``run.json`` of a run folder.

    Raises:
        RunError: it is absent, no record of ours, or lacks the winner or the baseline.
    """
    try:
        record = msgspec.json.decode((folder / RECORD).read_bytes(), type=RunRecord)
    except OSError as exc:
        raise RunError(f"{folder}: cannot read {RECORD}: {exc.strerror}") from exc
    except msgspec.DecodeError as exc:
        raise RunError(f"{folder}: {RECORD} is no record of a training: {exc}") from exc
    if record.schema_version != SCHEMA_VERSION:
        raise RunError(
            f"{folder}: found schema_version {record.schema_version}, expected {SCHEMA_VERSION}"
        )
    for name in record.variants().values():
        if name not in record.digests:
            raise RunError(f"{folder}: found digests of {sorted(record.digests)}, expected {name}")
    return record


def model_folder(folder: Path, candidate: str) -> Path:
    """Return where the model folder of a candidate lies in its run folder."""
    return folder / CANDIDATES / candidate


def flattened(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Return every leaf of nested mappings with its path, parts joined by ``/``.

    >>> dict(flattened({"pooled": {"brier": 0.05}, "rows": 3}))
    {'pooled/brier': 0.05, 'rows': 3}
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value
