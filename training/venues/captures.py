"""Coinbase's own captures, by the level that a product starts from: its seed.

No capture is long enough for a level of its own, so these stand apart from days with one.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from featurizer.level.levels import Levels
from featurizer.level.seeds import Seeds
from training.data.checks import HOLDOUT
from training.data.sources import ReadTask, Source, read
from training.venues.examples import Examples, examples_of, joined
from training.venues.leveled import level_seconds

PATTERN: Final = "adv_*.ndjson*"
WHOLE_US: Final = 2**60
"""Length of a shard that no capture reaches."""


def read_captures(data: Path, seeds: Seeds) -> tuple[Examples, list[str]]:
    """Return the seeded seconds of all captures that may be learned from, and their files.

    A part is a capture, by its place among the files. There are none of a product without a
    seed, of a held out capture, or of one that a client's clock stamped.
    """
    found: list[Examples] = []
    names: list[str] = []
    for source in _sources(data):
        several = [
            examples_of(source.name, level_seconds(shard.read(), Levels(seeds)), "seeded")
            for shard in source.shards
            if seeds.of(shard.feed, shard.product)
        ]
        one = joined(source.name, several) if several else None
        if one:
            found.append(one.numbered(len(names)))
            names.append(source.name)
    return joined("Coinbase captures", found), names


def capture_files(data: Path) -> list[Path]:
    """Return the recordings of Advanced Trade in a folder."""
    return sorted(data.glob(PATTERN))


def _sources(data: Path) -> Iterator[Source]:
    for path in capture_files(data):
        with tempfile.TemporaryDirectory() as work:
            source = read(ReadTask(path, False, Path(work), HOLDOUT, WHOLE_US))
            if isinstance(source, Source):
                yield source
