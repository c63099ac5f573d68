"""Levels to begin with, until a product has one of its own."""

from collections.abc import Iterable, Mapping
from math import inf
from pathlib import Path
from typing import Final

import msgspec

from ingestor.tick import GENERATED_FEED

PACKAGED: Final = Path(__file__).with_name("seeds.json")


class SeedError(ValueError):
    """The seeds cannot be read; says what was found and what was expected."""


class Seed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A level known beforehand.

    ``label`` is what stands before the ``@`` of the feeds it is for; without one it is for the
    exchange itself and its recordings. ``tau`` is a log return over 60 s, ``source`` says how it
    was found, ``days`` on how many days.
    """

    product: str
    tau: float
    source: str
    days: int
    label: str | None = None


class Seeds:
    """Finds the seed of a product in a feed: by its label first, then by the product alone."""

    __slots__ = ("_by_label", "all")

    def __init__(self, seeds: Iterable[Seed] = ()) -> None:
        self.all = tuple(seeds)
        self._by_label: Mapping[tuple[str | None, str], Seed] = {
            (seed.label, seed.product): seed for seed in self.all
        }

    def of(self, feed: str, product_id: str) -> Seed | None:
        """Return the seed, None where there is none: a made-up market is no recording."""
        label = feed.partition("@")[0]
        found = self._by_label.get((label, product_id))
        if found is None and not label.startswith(GENERATED_FEED):
            found = self._by_label.get((None, product_id))
        return found


def read_seeds(text: str) -> Seeds:
    """Return the seeds that a JSON array holds.

    >>> read_seeds('[{"product": "BTC-USD", "tau": 6e-4, "source": "made up", "days": 1}]').all
    (Seed(product='BTC-USD', tau=0.0006, source='made up', days=1, label=None),)

    Raises:
        SeedError: no such array, a τ that is none, or two for one label and product.
    """
    try:
        found = msgspec.json.decode(text, type=tuple[Seed, ...])
    except msgspec.DecodeError as exc:
        raise SeedError(f"expected a JSON array of seeds: {exc}") from exc
    for seed in found:
        if not 0 < seed.tau < inf or seed.days < 1:
            raise SeedError(f"found {seed}, expected a tau above 0 of at least a day")
    if len({(seed.label, seed.product) for seed in found}) < len(found):
        raise SeedError("found two seeds of one label and product, expected one")
    return Seeds(found)


def packaged_seeds() -> str:
    """Return the JSON of the seeds that come with the package."""
    return PACKAGED.read_text()


def default_seeds() -> Seeds:
    """Return the seeds that come with the package."""
    return read_seeds(packaged_seeds())
