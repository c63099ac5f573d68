"""Reading one recording: messages, checks, protocol core and the cut into shards.

The events are those that the ingestor writes of the same frames.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ingestor.advanced import DIALECT
from ingestor.continuity import Connection
from ingestor.recordings.lines import ForeignRecording, RecordedLines, RecordingError
from ingestor.tick import Dialect, encode
from training.data.checks import HeldOut, LeftOut, RecordingCheck, admit
from training.data.coverage import Coverage
from training.data.frames import messages
from training.data.own_tables import OwnTable, map_beside
from training.data.progress import Progress, Quiet
from training.data.shards import LENGTH_US, Shard, ShardWriter
from training.errors import DatasetError


@dataclass(frozen=True, slots=True)
class ReadTask:
    """A recording to be read, and where its shards go.

    ``named`` says that it was asked for by itself, not by its folder; ``any_clock`` that it may
    have been stamped by a client's clock, as only evaluation allows.
    """

    path: Path
    named: bool
    work: Path
    holdout: tuple[str, ...]
    length_us: int = LENGTH_US
    any_clock: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """What was read of one recording, or of one feed of the topic ``ticks``.

    ``sha256`` is that of the file as it lies there, or of the feed's events; ``notes`` say what
    a reader should know of it.
    """

    name: str
    sha256: str
    dialect: Dialect
    named: bool
    coverage: dict[str, Coverage]
    shards: tuple[Shard, ...]
    notes: tuple[str, ...] = ()

    @property
    def first_us(self) -> int:
        """Event time of the first Tick or Beat."""
        return min(c.first_us for c in self.coverage.values() if c.first_us >= 0)

    @property
    def last_us(self) -> int:
        """Event time of the last one."""
        return max(c.last_us for c in self.coverage.values())


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a source gives nothing: ``error`` ends the work, the others only this source."""

    name: str
    named: bool
    kind: Literal["holdout", "left out", "error"]
    reason: str

    def raised(self) -> DatasetError:
        """Return the exception that says so."""
        if self.kind == "error":
            return DatasetError(self.reason)
        return LeftOut(self.name, self.reason)


def read(job: ReadTask, progress: Progress | None = None) -> Source | Refused:
    """Read one recording into its shards; refusals are values, so that they travel."""
    try:
        admit(job.path, job.holdout)
        return _read(job, progress or Quiet())
    except HeldOut as exc:
        return Refused(exc.file, job.named, "holdout", exc.reason)
    except LeftOut as exc:
        return Refused(exc.file, job.named, "left out", exc.reason)
    except DatasetError as exc:
        return Refused(job.path.name, job.named, "error", str(exc))


def _read(job: ReadTask, progress: Progress) -> Source:
    name, path = job.path.name, job.path
    table = OwnTable.of(path) if map_beside(path).exists() else None
    source = None if table is None else table.lines
    lines = RecordedLines(path, progress.advance, source)
    check = RecordingCheck(name, lines.refuse)
    writer = ShardWriter(job.work, length_us=job.length_us)
    connection = Connection(feed=name)
    try:
        for recorded in messages(lines, RecordedLines(path, source=source)):
            if check.see(recorded):
                for event in connection.take(recorded.message, recorded.message.time_us or 0):
                    writer.take(event, encode(event))
    except ForeignRecording as exc:
        reason = f"line {lines.number}: of the Exchange dialect, expected Advanced Trade"
        raise LeftOut(name, reason) from exc
    except RecordingError as exc:
        raise DatasetError(str(exc)) from exc
    finally:
        shards = tuple(writer.finish())
    notes = (*lines.notes, *_clock_note(job, table, check.finish(lines.notes)))
    coverage = {product: found for (_, product), found in sorted(writer.coverage.items())}
    return Source(name, digest_of(job.path), DIALECT, job.named, coverage, shards, notes)


def _clock_note(job: ReadTask, table: OwnTable | None, reason: str | None) -> tuple[str, ...]:
    """Say what is to be known of times that look like a client's.

    Raises:
        LeftOut: they are not to be learned from.
    """
    if reason is None:
        return ()
    if table is not None and table.columns.clock == "exchange":
        return (f"times of the exchange, as {map_beside(job.path).name} says",)
    if job.any_clock:
        return (reason,)
    raise LeftOut(job.path.name, reason)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
