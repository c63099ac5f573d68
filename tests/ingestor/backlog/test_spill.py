"""The file of what waits for Kafka: its order, its bounds, and what a killed process leaves."""

import os
from pathlib import Path

import msgspec
import pytest

from ingestor.backlog.spill import FILE, KILLED, Spill, SpillError, item_of, packed
from ingestor.intake import Item, Opened, Received, Silent

OPENED = Opened("coinbase", 1, None)
MOST = 100_000


def read(spill: Spill, most: int = 100) -> list[Item]:
    """Take so many items, or all."""
    taken = (spill.take() for _ in range(most))
    return [item for item in taken if item is not None]


def frame(number: int) -> Received:
    """A frame that is no text, as any may come."""
    return Received(b"\xff\x00%d" % number, number)


def test_what_was_written_is_read_in_its_order(tmp_path: Path) -> None:
    """Whatever it is; and what was settled leaves an empty file."""
    items: list[Item] = [Opened("f", 2, "closed"), frame(1), Silent(3, 15.0), frame(2)]
    spill = Spill(tmp_path / "made", MOST)
    assert all(spill.write(item) for item in items)
    assert spill.held == sum(len(packed(item)) for item in items)
    assert [*read(spill, 3), *read(spill)] == items
    assert not spill.held and not spill.empty
    spill.settle()
    assert spill.empty and (tmp_path / "made" / FILE).stat().st_size == 0


def test_it_holds_so_many_bytes(tmp_path: Path) -> None:
    """Also where some were taken: room comes once all are."""
    spill = Spill(tmp_path, 2 * len(packed(frame(1))))
    assert [spill.write(frame(1)), spill.write(frame(2)), spill.write(frame(3))] == [1, 1, 0]
    assert read(spill, 1) == [frame(1)] and not spill.write(frame(3))
    read(spill, 1)
    spill.settle()
    assert spill.write(frame(3))


@pytest.mark.parametrize("settled", [0, 1, 4, 5])
def test_a_killed_process_leaves_what_was_not_settled(tmp_path: Path, settled: int) -> None:
    """Behind the connection it came by, also where that was published before."""
    spill = Spill(tmp_path, MOST)
    spill.begin(OPENED)
    for number in range(5):
        spill.write(frame(number))
    read(spill, settled)
    spill.settle()
    read(spill, 2)  # taken, and perhaps not published
    spill.close()
    found = read(Spill(tmp_path, MOST))
    left = [frame(number) for number in range(settled, 5)]
    assert found == ([Opened("coinbase", 1, KILLED), *left] if left else [])


def test_a_connection_that_was_not_published_is_the_first_that_is_left(tmp_path: Path) -> None:
    """Then it stands for itself."""
    spill = Spill(tmp_path, MOST)
    spill.begin(OPENED)
    spill.write(frame(1))
    read(spill, 1)
    spill.settle()
    again = Opened("coinbase", 9, "closed")
    spill.write(again)
    spill.write(frame(2))
    spill.close()
    assert read(Spill(tmp_path, MOST)) == [again, frame(2)]


@pytest.mark.parametrize("tail", [b"\x00", b"\x00\x00\x00\x09half", b"\x00\x00\x00\x02{}"])
def test_a_torn_end_is_an_end(tmp_path: Path, tail: bytes) -> None:
    """What is whole before it is read, and what comes next stands in its place."""
    spill = Spill(tmp_path, MOST)
    spill.begin(OPENED)
    spill.write(frame(1))
    spill.close()
    with (tmp_path / FILE).open("ab") as file:
        file.write(tail)
    again = Spill(tmp_path, MOST)
    assert again.write(frame(2))
    assert read(again) == [Opened("coinbase", 1, KILLED), frame(1), frame(2)]


def test_a_folder_is_of_one_process(tmp_path: Path) -> None:
    """Another is refused by name, and so is what is no folder."""
    spill = Spill(tmp_path, MOST)
    with pytest.raises(SpillError, match="this process alone"):
        Spill(tmp_path, MOST)
    spill.close()
    Spill(tmp_path, MOST).close()
    (tmp_path / "file").touch()
    with pytest.raises(SpillError, match=r"INGESTOR_SPILL_DIR: .*file"):
        Spill(tmp_path / "file", MOST)


def test_a_full_disk_is_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing half written is ever read, and it goes on once there is room."""
    spill = Spill(tmp_path, MOST)
    spill.write(frame(1))
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: real(fd, data[:3], at))
    assert not spill.write(frame(2))
    monkeypatch.setattr(os, "pwrite", real)
    assert spill.write(frame(3))
    assert read(spill) == [frame(1), frame(3)]


def test_what_an_older_release_left_is_read() -> None:
    """Its lines of silence have no reason."""
    body = msgspec.msgpack.encode(["silent", 3, 15.0])
    assert item_of(body) == Silent(3, 15.0)
