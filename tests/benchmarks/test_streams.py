"""The other ways make the same features, which is checked before they are timed."""

from collections.abc import Callable
from importlib.util import find_spec

import pytest

from benchmarks.features import NEEDS, agree
from benchmarks.streams import STREAMS, Deques, Row, Stream
from benchmarks.ticks import ticks
from ingestor.tick import Tick

HERE = {name: make for name, make in STREAMS.items() if name not in NEEDS}


@pytest.mark.parametrize("name", HERE)
def test_a_way_agrees_with_the_engine(name: str) -> None:
    """Through 400 seconds, so that every window fills and lets go."""
    agree({name: STREAMS[name]}, ticks(4_000, rate=9.0))


def test_a_way_that_differs_is_not_timed() -> None:
    """The feature is named."""

    class Wrong(Deques):
        def update(self, tick: Tick) -> Row:
            return (*super().update(tick)[:-1], 0.5)

    with pytest.raises(ValueError, match="price_velocity_300s"):
        agree({"wrong": Wrong}, ticks(2_000, rate=9.0))


def test_what_is_left_out_is_not_installed() -> None:
    """A way is named as missing only where its package is."""
    wanted: dict[str, Callable[[], Stream]] = {name: STREAMS[name] for name in NEEDS}
    for name, make in wanted.items():
        if find_spec(NEEDS[name]) is None:
            with pytest.raises(ModuleNotFoundError):
                make()
        else:
            agree({name: make}, ticks(4_000, rate=9.0))
