"""Keys of events, from events and from their lines."""

from pathlib import Path

import pytest

from ingestor.tick import encode
from tests.training.batch.wild import wild
from training.batch.keys import BEAT, BREAK, TICK, fetch_of, keys_of, read_keys


@pytest.mark.parametrize("size", [1, 700, 1 << 22])
def test_lines_have_the_keys_of_their_events(size: int, tmp_path: Path) -> None:
    """However many are read at once; and those asked for are read in whole."""
    events = wild(1, 200, 0.9)
    path = tmp_path / "events"
    path.write_bytes(b"".join(encode(event) + b"\n" for event in events))
    keys, fetch = read_keys(path, size)
    wanted = keys_of(events)
    for name in ("kind", "time_us", "trade_id", "second"):
        assert getattr(keys, name).tolist() == getattr(wanted, name).tolist()
    assert {*keys.kind.tolist()} == {TICK, BEAT, BREAK}
    some = [0, 7, len(events) - 1]
    assert fetch(some) == fetch_of(events)(some) == [events[k] for k in some]
    assert fetch([]) == []
