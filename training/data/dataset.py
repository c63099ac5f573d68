"""Recordings, or feeds of the topic ``ticks``, → labelled rows, in one Parquet and as arrays.

Frames and protocol core are those that run live, and rows have their bits. One task reads a
recording, one a product and quarter of a day makes rows by columns; it holds these alone.
The dataset is known by its content: equal inputs and definitions have an equal digest.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from featurizer.slots import MICROSECONDS
from training.data.captures import (
    Capture,
    LabelledCapture,
    capture_lines,
    captures_of,
    counts_of,
)
from training.data.checks import HOLDOUT as HOLDOUT
from training.data.checks import LeftOut as LeftOut
from training.data.checks import files_of
from training.data.manifest import decode, manifest_of, tau_rule
from training.data.parallel import IN_PROCESS, Executor
from training.data.progress import Progress, Quiet
from training.data.rows import Table
from training.data.shards import LENGTH_US
from training.data.sources import ReadTask, Refused, Source, read
from training.data.thresholds import TAU_PERCENTILE
from training.errors import DatasetError

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Dataset:
    """All usable rows, the captures they come from, and what was left out with the reason.

    ``group`` numbers, for each capture, the interval of time it shares with others.
    ``digest`` is the content address; ``path`` the Parquet that holds all rows, if it was kept.
    """

    captures: tuple[Capture, ...]
    group: tuple[int, ...]
    left_out: tuple[tuple[str, str], ...]
    table: Table
    digest: str
    path: Path | None = None

    @property
    def counts(self) -> dict[str, int]:
        """What became of all events, seconds and rows of the captures."""
        return counts_of(self.captures, self.left_out)

    def row_groups(self) -> npt.NDArray[np.intp]:
        """Return each row's group."""
        return np.array(self.group, dtype=np.intp)[self.table.capture]


def build(
    paths: Sequence[Path],
    say: Say,
    holdout: Sequence[str] = HOLDOUT,
    *,
    keep: Path | None = None,
    executor: Executor = IN_PROCESS,
    progress: Progress | None = None,
    tau_percentile: float = TAU_PERCENTILE,
    length_us: int = LENGTH_US,
    any_clock: bool = False,
) -> Dataset:
    """Read recordings, or folders of them, into one dataset; ``say`` is told each file's fate.

    In a folder, what is held out, of another dialect, stamped by a client's clock, too short,
    unreadable or no recording is left out with the reason. A file named by itself must be usable,
    or a holdout. ``keep`` is the Parquet to write. ``length_us`` is the length of a task's time.
    ``any_clock`` takes what a client's clock stamped, with a note: to evaluate, not to train.

    Raises:
        DatasetError: names file, row and reason; also if no usable row is left.
    """
    progress = progress or Quiet()
    with _workplace(keep) as folder:
        work = Path(folder)
        files = [found for path in paths for found in files_of(path)]
        jobs = [
            ReadTask(path, named, work / f"{at:05d}", tuple(holdout), length_us, any_clock)
            for at, (path, named) in enumerate(files)
        ]
        read_all = _read_all(jobs, executor, progress)
        return assemble(read_all, say, work, keep, executor, progress, tau_percentile)


def read_capture(path: Path) -> Capture:
    """Read one recording and say what is in it; it may be too short for a usable row.

    Raises:
        DatasetError: the file is empty, unreadable, unordered, repeats its ticks, holds an
            unusable ticker or was stamped by a client's clock.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = read(ReadTask(path, True, Path(folder), ()))
        if isinstance(source, Refused):
            raise source.raised()
        return captures_of([source], IN_PROCESS, Quiet())[0].capture


def assemble(
    found: Sequence[Source | Refused],
    say: Say,
    work: Path,
    keep: Path | None,
    executor: Executor,
    progress: Progress,
    tau_percentile: float,
) -> Dataset:
    """Turn what was read into rows and these into one dataset; ``work`` holds what is passing.

    Raises:
        DatasetError: names source, row and reason; also if no usable row is left.
    """
    sources, left_out = _admitted(found)
    for name, reason in left_out:
        say(f"left out  {name}: {reason}")
    made = captures_of(sources, executor, progress)
    usable = [one for one in made if one.capture.usable]
    for one in made:
        if one.capture.usable:
            for line in capture_lines(one.capture):
                say(line)
        else:
            left_out.append(_too_short(one, say))
    return _dataset(usable, left_out, work, keep, tau_percentile)


def write_parquet(dataset: Dataset, path: Path) -> None:
    """Write a dataset that was built with ``keep``; the bytes are copied.

    Raises:
        ValueError: its rows were not kept.
    """
    if dataset.path is None:
        raise ValueError("found a dataset whose rows were not kept, expected build(…, keep=path)")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(dataset.path.read_bytes())
    part.replace(path)


def read_parquet(path: Path) -> Dataset:
    """Read a dataset back: equal to what was built.

    Raises:
        DatasetError: it is no dataset, or made with other feature definitions.
    """
    from training.data import parquet

    metadata = decode(parquet.read_metadata(path), path)
    return Dataset(
        captures=metadata.captures,
        group=metadata.group,
        left_out=metadata.left_out,
        table=parquet.read_usable(path),
        digest=metadata.digest,
        path=path,
    )


def _workplace(keep: Path | None) -> "tempfile.TemporaryDirectory[str]":
    """Work beside the output, which is where other machines of a cluster look as well."""
    if keep is None:
        return tempfile.TemporaryDirectory(prefix="training-")
    keep.parent.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=f"{keep.name}.", dir=keep.parent)


def _read_all(
    jobs: Sequence[ReadTask], executor: Executor, progress: Progress
) -> list[Source | Refused]:
    """Read the recordings; one that is read in this process moves the bar line by line."""
    sizes = [job.path.stat().st_size for job in jobs]
    progress.begin("reading", sum(sizes), "B")
    if executor.alone(len(jobs)):
        return [read(job, progress) for job in jobs]
    return executor.run(read, jobs, lambda at: progress.advance(sizes[at]))


def _admitted(found: Iterable[Source | Refused]) -> tuple[list[Source], list[tuple[str, str]]]:
    """Return what can be used and what was left out; raises the first refusal that counts."""
    sources: list[Source] = []
    left_out: list[tuple[str, str]] = []
    known: dict[str, str] = {}
    for one in found:
        if isinstance(one, Source):
            if one.sha256 in known:
                left_out.append((one.name, f"the same bytes as {known[one.sha256]}"))
                continue
            known[one.sha256] = one.name
            sources.append(one)
        elif one.named and one.kind != "holdout":
            raise one.raised()
        else:
            left_out.append((one.name, one.reason.removeprefix(f"{one.name}: ")))
    dialects = {source.dialect: source.name for source in sources}
    if len(dialects) > 1:
        where = " and ".join(f"{dialect} in {name}" for dialect, name in sorted(dialects.items()))
        raise DatasetError(f"found {where}, expected one dialect in a dataset")
    return sources, left_out


def _too_short(made: LabelledCapture, say: Say) -> tuple[str, str]:
    """Leave out a capture without a usable row; raises if it was named by itself."""
    capture = made.capture
    seconds = (capture.last_us - capture.first_us) // MICROSECONDS
    fates = Counter[str]()
    for found in capture.rows.values():
        fates.update(found)
    dropped = ", ".join(f"{n} {fate}" for fate, n in sorted(fates.items()))
    reason = (
        f"too short: {seconds} s give no row with 300 s before it and 60 s after it"
        f" ({dropped or 'no row at all'})"
    )
    if made.named:
        raise LeftOut(capture.file, reason)
    say(f"left out  {capture.file}: {reason}")
    return capture.file, reason


def _dataset(
    made: Sequence[LabelledCapture],
    left_out: Sequence[tuple[str, str]],
    work: Path,
    keep: Path | None,
    tau_percentile: float,
) -> Dataset:
    from training.data import parquet

    if not made:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out) or "no recording"
        raise DatasetError(f"found no usable row ({reasons}), expected at least one")
    captures = tuple(one.capture for one in made)
    metadata = manifest_of(captures, tuple(left_out), tau_rule(tau_percentile))
    whole = work / "dataset.parquet"
    parts = (
        (part, number, metadata.group[number])
        for number, one in enumerate(made)
        for part in one.parts
    )
    parquet.join_parts(parts, msgspec.json.encode(metadata), whole)
    table = parquet.read_usable(whole)
    if keep is not None:
        whole.replace(keep)
    return Dataset(captures, metadata.group, metadata.left_out, table, metadata.digest, keep)
