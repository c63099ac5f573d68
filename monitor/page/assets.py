"""The files of the page as they are sent: their kind, their bytes, and a tag made of these."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

FOLDER: Final = "files"
KINDS: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
"""What a browser is sent, by suffix; licence and sums beside them are not."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page; ``etag`` is the sum of its bytes, as a header has it."""

    path: str
    kind: str
    body: bytes
    etag: str

    def is_held(self, if_none_match: str) -> bool:
        """Say whether whoever sends this header has these bytes already."""
        held = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
        return any(tag in (self.etag, "*") for tag in held)


def asset_of(path: str, body: bytes) -> Asset | None:
    """Return a file as it is sent, None for one that no browser needs."""
    kind = KINDS.get(f".{path.rpartition('.')[2]}")
    if kind is None:
        return None
    return Asset(path, kind, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def page_assets() -> dict[str, Asset]:
    """Read all files of the page, by their path below its folder."""
    found = (asset_of(path, body) for path, body in read_files())
    return {asset.path: asset for asset in found if asset is not None}


def read_files() -> Iterator[tuple[str, bytes]]:
    """Read what the package holds of the page, sent or not, by path."""
    yield from _below(files(__package__).joinpath(FOLDER), "")


def _below(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if each.is_dir():
            yield from _below(each, f"{path}{each.name}/")
        else:
            yield f"{path}{each.name}", each.read_bytes()
