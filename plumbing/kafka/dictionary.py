"""Small records packed by zstd, with a dictionary of what the records of their topic share.

At the rate of a live feed a record is a batch of its own, in which a codec finds little that
repeats: names, ids of models and the digits' frequencies repeat from one record to the next.

A packed value is a byte 1, which no JSON begins with, and one frame of zstd that names its
dictionary (RFC 8878, section 5), without the frame's magic number: with it in the place of the
byte, ``zstd -d -D FILE`` reads it as well. In it stand the value and, after a byte 0, which no
JSON holds, the headers.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
from zstandard import (
    ZstdCompressionDict,
    ZstdCompressor,
    ZstdDecompressor,
    ZstdError,
    get_frame_parameters,
    train_dictionary,
)

PACKED: Final = b"\x01"
_MAGIC: Final = b"\x28\xb5\x2f\xfd"
LEVEL: Final = 6
"""Of a row at 3, 6 and 12: 203, 193 and 189 bytes, in 3, 12 and 34 microseconds."""
DICTIONARY_BYTES: Final = 2_048
"""With 4,096 what is packed is no smaller, and the dictionary is twice as large."""
LEAST_NUMBER, MOST_NUMBER = 2**15, 2**31
"""Between them the numbers of dictionaries are free for anybody."""
MOST_BYTES: Final = 8 * 2**20
"""Of one value unpacked: more than any broker takes, and no danger to who reads it."""
HELD: Final = 16
"""Dictionaries that a reader has at hand: of four topics the present ones, and those before."""
_SEPARATOR: Final = b"\0"

_decode_headers: Final = msgspec.json.Decoder(dict[str, str]).decode


class NotUnpacked(ValueError):
    """A packed value cannot be read; says what was found and what was expected."""


class Dictionary:
    """One dictionary, and what packs by it; for one thread at a time."""

    __slots__ = ("_pack", "data", "number")

    def __init__(self, data: bytes) -> None:
        shared = ZstdCompressionDict(data)
        shared.precompute_compress(level=LEVEL)
        self.data, self.number = data, shared.dict_id()
        self._pack = ZstdCompressor(level=LEVEL, dict_data=shared).compress

    def pack(self, data: bytes) -> bytes:
        """Return a packed value that names this dictionary."""
        return PACKED + self._pack(data)[len(_MAGIC) :]


def trained(samples: Sequence[bytes]) -> Dictionary | None:
    """Return a dictionary of samples, None where they are too few or have nothing in common."""
    digest = hashlib.sha256(b"".join(samples)).digest()
    number = LEAST_NUMBER + int.from_bytes(digest[:4]) % (MOST_NUMBER - LEAST_NUMBER)
    try:
        made = train_dictionary(DICTIONARY_BYTES, [*samples], dict_id=number)
    except ZstdError:
        return None
    return Dictionary(made.as_bytes())


def packable(value: bytes) -> bool:
    """Say whether a value can be told from a packed one, and from its headers."""
    return bool(value) and not value.startswith(PACKED) and _SEPARATOR not in value


def joined(value: bytes, headers: Mapping[str, str]) -> bytes:
    """Return value and headers as one, which ``parted`` takes apart.

    >>> joined(b"{}", {"received_us": "5"})
    b'{}\\x00{"received_us":"5"}'
    """
    return value + _SEPARATOR + msgspec.json.encode(headers) if headers else value


def parted(data: bytes) -> tuple[bytes, dict[str, str]]:
    """Return value and headers; raises ``msgspec.DecodeError`` where these are none.

    >>> parted(b'{}')
    (b'{}', {})
    """
    value, _, headers = data.partition(_SEPARATOR)
    return value, _decode_headers(headers) if headers else {}


class Unpacker:
    """Unpacks values by the dictionaries that they name; ``find`` knows these by number.

    It is for one thread at a time.
    """

    def __init__(self, find: Callable[[int], bytes | None]) -> None:
        self._find = find
        self._known: dict[int, ZstdDecompressor] = {}

    def unpack(self, value: bytes) -> tuple[bytes, dict[str, str]]:
        """Return value and headers of a packed value; another one as it is, without headers.

        Raises:
            NotUnpacked: its dictionary is not known, or it is cut off or altered.
        """
        if not value.startswith(PACKED):
            return value, {}
        frame = _MAGIC + value[len(PACKED) :]
        try:
            told = get_frame_parameters(frame)
            if not 0 <= told.content_size <= MOST_BYTES:
                found = f"found {told.content_size} bytes"
                raise NotUnpacked(f"{found}, expected {MOST_BYTES} at most")
            decompressor = self._of(told.dict_id)
            return parted(decompressor.decompress(frame, max_output_size=MOST_BYTES))
        except (ZstdError, msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise NotUnpacked(f"found {exc}, expected a whole frame of zstd") from exc

    def _of(self, number: int) -> ZstdDecompressor:
        """Return what unpacks by a dictionary; the latest used are held, as each takes room."""
        held = self._known.pop(number, None) or self._made(number)
        self._known[number] = held
        if len(self._known) > HELD:
            del self._known[next(iter(self._known))]
        return held

    def _made(self, number: int) -> ZstdDecompressor:
        data = self._find(number) if number >= LEAST_NUMBER else None
        if data is None:
            raise NotUnpacked(f"found dictionary {number}, expected one that is kept")
        return ZstdDecompressor(dict_data=ZstdCompressionDict(data))
