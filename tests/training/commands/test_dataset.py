"""``python -m training dataset``: what it writes and what it says."""

import io
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

import pytest

from training.__main__ import main
from training.commands import dataset as command
from training.commands.bars import Bars
from training.config import TrainingSettings
from training.data.dataset import read_parquet
from training.errors import DatasetError

Write = Callable[..., Path]


def options(*arguments: str) -> Namespace:
    """Parse arguments of the command."""
    parser = ArgumentParser()
    command.add(parser.add_subparsers())
    return parser.parse_args(["dataset", *arguments])


def test_a_folder_becomes_a_file(
    folder: Path, tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows, gaps, what was left out, τ and digest are printed; nothing but the file is left."""
    write(folder / "short.ndjson", 1_600_000_000, seconds=340)
    out = tmp_path / "out" / "d.parquet"
    given = options("--data", str(folder), "--out", str(out))
    assert given.run(given, TrainingSettings(backend="sequential")) == 0
    said, bars = capsys.readouterr()
    dataset = read_parquet(out)
    assert "left out  short.ndjson: too short: 339 s" in said
    assert (
        "read      first.ndjson: 3202 events, usable rows: 440 of BTC-USD, 440 of ETH-USD" in said
    )
    assert "BTC-USD: 1600 ticks, 100.0% of 800 s known, 0 gaps" in said
    assert "captures  3 used, 1 left out" in said
    assert f"digest    {dataset.digest}\nwrote     {out}\n" in said
    assert bars == ""
    assert [p.name for p in out.parent.iterdir()] == ["d.parquet"]


def test_bad_data_ends_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error names file and reason on stderr, and no file is written."""
    path = tmp_path / "empty.ndjson"
    path.write_text("")
    out = tmp_path / "d.parquet"
    assert main(["dataset", "--data", str(path), "--out", str(out)]) == 1
    assert capsys.readouterr().err == (
        "error     empty.ndjson: found no ticker, expected at least one\n"
    )
    assert [p.name for p in tmp_path.iterdir()] == ["empty.ndjson"]


def test_nothing_to_read_is_refused() -> None:
    """Without data the message says what to give."""
    given = options()
    with pytest.raises(DatasetError, match="--data nor TRAINING_DATA"):
        given.run(given, TrainingSettings())


def test_a_span_is_of_whole_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """A fraction of a second cannot limit a span of seconds."""
    assert options("--from", "2026-04-05T22:35:00Z").from_us == 1_775_428_500_000_000
    with pytest.raises(SystemExit):
        options("--from", "2026-04-05T22:35:00.5")
    assert "invalid moment value" in capsys.readouterr().err


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def test_bars_are_for_terminals() -> None:
    """A terminal gets a bar a step; any other stream gets nothing."""
    shown, silent = Terminal(), io.StringIO()
    for stream in (shown, silent):
        with Bars(stream) as bars:
            bars.begin("reading", 10, "B")
            bars.advance(10)
            bars.begin("labelling", 3, "events")
    assert "reading: 100%" in shown.getvalue() and "labelling" in shown.getvalue()
    assert silent.getvalue() == ""
