"""One Parquet of all rows: known by its content, equal on every run and in every place."""

import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from featurizer import features
from featurizer.features import NAMES
from ingestor.tick import Tick, encode
from training.batch.keys import read_keys
from training.batch.labelled import labelled
from training.data import parquet
from training.data.dataset import Dataset, build, read_parquet, write_parquet
from training.data.manifest import digest_of, tau_rule
from training.data.parallel import Executor
from training.data.rows import Table
from training.data.shards import ShardWriter
from training.errors import DatasetError

SECOND = 1_000_000
START = 1_700_000_000

Write = Callable[..., Path]


def silent(_: str) -> None:
    """Say nothing."""


def same(one: Table, two: Table) -> bool:
    """Compare all columns to the bit."""
    return all(
        getattr(one, name).tobytes() == getattr(two, name).tobytes() for name in Table.__slots__
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, write: Write) -> Dataset:
    """The dataset of two recordings hours apart, one of them with two products, and its file."""
    data = tmp_path_factory.mktemp("data")
    write(data / "first.ndjson", START, seed=1, products=("BTC-USD", "ETH-USD"))
    write(data / "second.ndjson", START + 10_000, seed=5)
    return build([data], silent, keep=tmp_path_factory.mktemp("kept") / "d.parquet")


@pytest.fixture(scope="module")
def file(built: Dataset) -> Path:
    """The file that was kept of it."""
    assert built.path is not None
    return built.path


def test_a_dataset_is_read_back_as_it_was(built: Dataset, file: Path) -> None:
    """Captures, groups, counts, digest and all columns survive the file."""
    read = read_parquet(file)
    assert same(built.table, read.table)
    assert (built.captures, built.group, built.left_out) == (
        read.captures,
        read.group,
        read.left_out,
    )
    assert (built.digest, built.counts, built.path) == (read.digest, read.counts, read.path)


def test_a_dataset_of_before_knows_nothing_of_what_came_later(
    built: Dataset, file: Path, tmp_path: Path
) -> None:
    """A feature without a column is known in no row, and the digest of before is accepted."""
    table, name = pq.read_table(file), NAMES[-1]
    before = features.digest_of(features.FEATURES[: len(features.REQUIRED)]).encode()
    metadata = {
        key: value.replace(features.FEATURES_DIGEST.encode(), before)
        for key, value in table.schema.metadata.items()
    }
    pq.write_table(table.drop_columns([name]).replace_schema_metadata(metadata), tmp_path / "old")
    read = read_parquet(tmp_path / "old").table
    assert np.isnan(read.column(name)).all()
    others = np.arange(len(NAMES)) != NAMES.index(name)
    assert read.features[:, others].tobytes() == built.table.features[:, others].tobytes()


def test_every_row_is_in_the_file_with_its_fate(built: Dataset, file: Path) -> None:
    """Unusable rows stand beside the usable ones and are counted alike."""
    rows = pq.read_table(file)
    assert rows.schema.names == parquet.SCHEMA.names
    fates = Counter(rows["fate"].to_pylist())
    assert {f"rows_{fate}": n for fate, n in fates.items()} == {
        name: n for name, n in built.counts.items() if name.startswith("rows_")
    }
    usable = rows.filter(np.array(rows["fate"].to_pylist()) == "usable")
    assert len(usable) == len(built.table)
    assert usable["volatility"].null_count == 0 and rows["volatility"].null_count > 0
    assert rows[NAMES[4]].null_count > 0 and not np.isnan(built.table.column(NAMES[4])).any()
    seconds = [
        (c, p, t // SECOND)
        for c, p, t in zip(
            *(rows[n].to_pylist() for n in ("capture", "product_id", "time_us")), strict=True
        )
    ]
    assert len(set(seconds)) == len(seconds)


@pytest.mark.process
def test_equal_bytes_on_every_run_and_in_every_place(folder: Path, tmp_path: Path) -> None:
    """Two runs, one of them in processes, write the same file."""
    build([folder], silent, keep=tmp_path / "one.parquet")
    build([folder], silent, keep=tmp_path / "two.parquet", executor=Executor("processes", 2))
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "one.parquet", "two.parquet"]


def test_shorter_tasks_give_the_same_rows(folder: Path, tmp_path: Path) -> None:
    """How time is cut into tasks shows in no row and no count."""
    recordings = [folder / "first.ndjson"]
    whole = build(recordings, silent)
    cut = build(recordings, silent, length_us=400 * SECOND)
    assert same(whole.table, cut.table)
    assert whole.captures == cut.captures
    assert whole.digest == cut.digest


def test_the_digest_is_of_the_content(folder: Path) -> None:
    """Names and order do not matter; inputs, definitions and the τ rule do."""
    before = build([folder / "second.ndjson"], silent).digest
    renamed = (folder / "second.ndjson").rename(folder / "zzz.ndjson")
    assert build([renamed], silent).digest == before
    inputs = [digest_of(["b", "a"], tau_rule(90)), digest_of(["a", "b", "c"], tau_rule(90))]
    assert inputs[0] == digest_of(["a", "b"], tau_rule(90)) != inputs[1]
    assert inputs[0] != digest_of(["a", "b"], tau_rule(95))


def test_a_kept_dataset_is_copied(built: Dataset, file: Path, folder: Path, tmp_path: Path) -> None:
    """Writing it elsewhere copies its bytes; one that was not kept has none."""
    write_parquet(built, tmp_path / "b" / "c.pq")
    assert (tmp_path / "b" / "c.pq").read_bytes() == file.read_bytes()
    with pytest.raises(ValueError, match="not kept"):
        write_parquet(build([folder / "second.ndjson"], silent), tmp_path / "d.parquet")


def test_what_is_no_dataset_is_refused(tmp_path: Path) -> None:
    """Another Parquet, and another file, are named with what was missing."""
    path = tmp_path / "other.parquet"
    pq.write_table(parquet.PART.empty_table(), path)
    with pytest.raises(DatasetError, match=r"other.parquet: found no crypto_volatility.dataset"):
        read_parquet(path)
    path.write_text("no")
    with pytest.raises(DatasetError, match=r"other.parquet: .* expected a dataset's Parquet"):
        read_parquet(path)


def long_stream(seconds: int) -> Iterator[Tick]:
    """Return one tick a second, made as they are asked for."""
    for second in range(seconds):
        price = 100.0 + second % 7
        yield Tick(
            feed="f",
            product_id="BTC-USD",
            dialect="advanced",
            time_us=second * SECOND,
            received_us=0,
            price=price,
            bid=price - 1,
            ask=price + 1,
        )


def peak(seconds: int, folder: Path) -> int:
    """Return the most bytes held while the shards of a stream are labelled and written."""
    writer = ShardWriter(folder, length_us=400 * SECOND)
    for tick in long_stream(seconds):
        writer.take(tick, encode(tick))
    shards = writer.finish()
    tracemalloc.start()
    for shard in shards:
        rows = labelled(*read_keys(shard.path), (shard.start_us, shard.end_us), shard.state)
        parquet.write_part(rows, folder / f"part-{shard.number}", 128)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


@pytest.mark.exhaustive
def test_memory_does_not_grow_with_the_stream(tmp_path: Path) -> None:
    """A stream eight times as long needs no more memory: what is held is of a shard.

    Other threads of the run may allocate at the same time: half of a peak is left to them.
    """
    peak(400, tmp_path / "warm")
    short, long = peak(800, tmp_path / "short"), peak(6_400, tmp_path / "long")
    assert long < 2 * short
    assert pq.ParquetFile(tmp_path / "long" / "part-3").num_row_groups == 4
