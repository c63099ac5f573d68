"""Recordings are read, or refused by a value that travels between processes."""

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from training.data.checks import LeftOut
from training.data.sources import ReadTask, Refused, Source, digest_of, read
from training.errors import DatasetError

Write = Callable[..., Path]


def job(path: Path, work: Path, *holdout: str) -> ReadTask:
    """Return the job to read a recording."""
    return ReadTask(path, named=True, work=work, holdout=holdout)


def test_a_recording_is_read_with_its_products(tmp_path: Path, write: Write) -> None:
    """Name, digest, times and what is known of each product."""
    path = write(tmp_path / "one.ndjson", seconds=400, products=("BTC-USD", "ETH-USD"))
    found = read(job(path, tmp_path / "work"))
    assert isinstance(found, Source)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() == digest_of(path)
    assert list(found.coverage) == ["BTC-USD", "ETH-USD"]
    assert {coverage.ticks for coverage in found.coverage.values()} == {800}
    assert found.last_us - found.first_us == pytest.approx(399.4e6, abs=1e5)
    assert found.shards


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("", "error", "found no ticker"),
        ("nonsense\n", "error", "line 1"),
        ('{"type": "ticker", "product_id": "BTC-USD"}\n', "left out", "Exchange dialect"),
    ],
    ids=["empty", "torn", "another dialect"],
)
def test_a_refusal_is_a_value(tmp_path: Path, text: str, kind: str, reason: str) -> None:
    """It says why, survives the way between processes, and raises what it stands for."""
    path = tmp_path / "one.ndjson"
    path.write_text(text)
    found = pickle.loads(pickle.dumps(read(job(path, tmp_path / "work"))))
    assert isinstance(found, Refused) and (found.kind, found.named) == (kind, True)
    assert reason in found.reason
    with pytest.raises(DatasetError if kind == "error" else LeftOut, match=reason):
        raise found.raised()


def test_a_holdout_is_not_opened(tmp_path: Path) -> None:
    """Its name alone refuses it: the file need not even be there."""
    found = read(job(tmp_path / "kept.ndjson", tmp_path / "work", "kept"))
    assert isinstance(found, Refused) and found.kind == "holdout"
