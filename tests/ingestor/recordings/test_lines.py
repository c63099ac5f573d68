"""Lines of files as crashes, editors and other recorders leave them."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.recordings.lines import (
    FEW,
    SHARE,
    ForeignDialect,
    ForeignRecording,
    RecordedLines,
    RecordingError,
)

LINES = [json.dumps({"n": n, "noise": os.urandom(20).hex()}).encode() for n in range(2_000)]
BODY = b"\n".join(LINES) + b"\n"


def read(path: Path, data: bytes) -> tuple[list[bytes], RecordedLines]:
    """Write a file, and read its lines: what is no JSON is refused."""
    path.write_bytes(data)
    lines, found = RecordedLines(path), list[bytes]()
    for line in lines:
        try:
            json.loads(line)
        except ValueError as exc:
            lines.refuse(exc)
        else:
            found.append(line)
    lines.finish()
    return found, lines


def stripped(lines: list[bytes]) -> list[bytes]:
    """The lines without the ends that CRLF leaves."""
    return [line.rstrip() for line in lines]


@pytest.mark.parametrize(
    "data",
    [
        BODY,
        BODY[:-1],
        gzip.compress(BODY),
        gzip.compress(BODY[:50_000]) + gzip.compress(BODY[50_000:]),
        gzip.compress(BODY) + bytes(512),
        b"\xef\xbb\xbf" + BODY.replace(b"\n", b"\r\n"),
        b"[" + b",\n".join(LINES) + b"]",
        gzip.compress(b" [\n" + b" , ".join(LINES) + b"\n]\n"),
        b"\n".join(b"[" + line + b"]" for line in LINES),
    ],
    ids=["plain", "unended", "packed", "two", "padded", "crlf", "array", "packed-array", "arrays"],
)
def test_whole_files_are_read_whole(tmp_path: Path, data: bytes) -> None:
    """Whatever wrote them, without a note."""
    found, lines = read(tmp_path / "x", data)
    assert (stripped(found), lines.notes) == (LINES, ())


@given(st.integers(min_value=1, max_value=len(gzip.compress(BODY)) - 1))
def test_a_gzip_may_end_anywhere(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    """What gzip still gives is read, line for line, and the missing end is noted."""
    path = tmp_path_factory.mktemp("cut") / "x.gz"
    path.write_bytes(gzip.compress(BODY, mtime=0)[:cut])
    given_lines = list(_as_gzip_gives(path))
    found, lines = read(path, path.read_bytes())
    assert found[: len(given_lines)] == given_lines
    assert lines.notes and "end" in lines.notes[0]


def _as_gzip_gives(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) as file:
            for line in file:
                yield line.rstrip()
    except (EOFError, OSError):
        pass


@pytest.mark.parametrize("data", [BODY, b"[" + b",".join(LINES) + b"]"], ids=["lines", "array"])
@pytest.mark.parametrize("cut", [5, 37, 1_000])
def test_a_cut_end_is_an_end(tmp_path: Path, data: bytes, cut: int) -> None:
    """The last, torn line is no bad line."""
    found, lines = read(tmp_path / "x", data[:-cut])
    assert found == LINES[: len(found)] and len(found) > 1_900
    assert (lines.skipped, len(lines.notes)) == (0, 1)
    assert "the end is missing: line" in lines.notes[0]


def test_a_damaged_gzip_is_read_up_to_the_damage(tmp_path: Path) -> None:
    """And said so."""
    packed = gzip.compress(BODY)
    half = len(packed) // 2
    found, lines = read(tmp_path / "x", packed[:half] + bytes(300) + packed[half + 300 :])
    assert found == LINES[: len(found)]
    assert lines.notes[0].startswith("the gzip is damaged")


@pytest.mark.parametrize("bad", [1, FEW, int(SHARE * 2_000)])
def test_some_bad_lines_are_skipped_and_counted(tmp_path: Path, bad: int) -> None:
    """With the place of the first."""
    data = b"\n".join([*LINES[:99], *[b"<<<"] * bad, *LINES[99 : 2_000 - bad]]) + b"\n"
    found, lines = read(tmp_path / "x", data)
    assert len(found) == 2_000 - bad
    [note] = lines.notes
    assert note.startswith(f"{bad} of 2000 lines skipped, the first: line 100: ")
    assert "found '<<<'" in note


@pytest.mark.parametrize("bad", [1, 4, 19, 20, 2_000])
def test_too_many_bad_lines_refuse_the_file(tmp_path: Path, bad: int) -> None:
    """All of them, or more than the stated share; a hopeless file is not read to its end."""
    path, good = tmp_path / "x", LINES[: bad * 15] if bad in (4, 19) else []
    with pytest.raises(RecordingError, match=r"^x, line 1: .*; found '<<<', expected one frame"):
        read(path, b"\n".join([*[b"<<<"] * bad, *good]) + b"\n")


def test_another_dialect_is_known_at_once(tmp_path: Path) -> None:
    """Where no line before was of ours."""
    path = tmp_path / "x"
    path.write_bytes(BODY)
    lines = RecordedLines(path)
    next(iter(lines))
    with pytest.raises(ForeignRecording, match="line 1: other words"):
        lines.refuse(ForeignDialect("other words"))


def test_progress_is_told_in_bytes_of_the_file(tmp_path: Path) -> None:
    """All of them, packed as they are."""
    path, told = tmp_path / "x.gz", list[int]()
    path.write_bytes(gzip.compress(BODY))
    assert len(list(RecordedLines(path, told.append))) == 2_000
    assert sum(told) == path.stat().st_size
