"""The days of all venues: where they are, and their seconds, each venue's in one pass."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from training.venues.binance import BINANCE
from training.venues.bitmex import BITMEX
from training.venues.btce import BTCE
from training.venues.leveled import LeveledSeconds, level_seconds
from training.venues.trades import Venue, events_of

FOLDER: Final = "external"
VENUES: Final = (BITMEX, BTCE, BINANCE)


@dataclass(frozen=True, slots=True)
class VenueDays:
    """A venue's seconds, read once and kept; ``breaks`` is how often trades are missing."""

    venue: Venue
    path: Path
    seconds: LeveledSeconds
    breaks: int


def missing(data: Path) -> list[str]:
    """Return the files of venues that are not in the folder of data."""
    return [venue.file for venue in VENUES if not (data / FOLDER / venue.file).is_file()]


def read_venue(venue: Venue, path: Path) -> VenueDays:
    """Read a venue's days and pass them through slots and levels.

    Raises:
        DatasetError: names file, row, what was found and what was expected.
    """
    trades = venue.read(path)
    feed = f"{venue.name.lower()}@{path.stem}"
    seconds = level_seconds(events_of(trades, feed, venue.product))
    return VenueDays(venue, path, seconds, int(trades.broken.sum()))


def read_venues(data: Path) -> Iterator[VenueDays]:
    """Read the days of all venues, one after the other."""
    for venue in VENUES:
        yield read_venue(venue, data / FOLDER / venue.file)
