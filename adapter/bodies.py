"""Request bodies, within their bounds of bytes and time."""

import asyncio
from collections.abc import AsyncIterable, Mapping


class TooLarge(Exception):
    """The body has more bytes than one request may have."""


class TooSlow(Exception):
    """The body did not come in time."""


class TooBusy(Exception):
    """Bodies that are on their way take all the memory that there is for them."""


class Bodies:
    """Reads them; ``most`` bytes each, ``bound`` bytes together while they come, in ``seconds``."""

    def __init__(self, most: int, bound: int, seconds: float) -> None:
        self._most, self._bound, self._seconds = most, bound, seconds
        self._coming = 0

    async def read(self, headers: Mapping[str, str], parts: AsyncIterable[bytes]) -> bytes:
        """Return the whole body.

        Raises:
            TooLarge: it says, or shows, that it has more bytes than it may.
            TooSlow: it was not whole in time.
            TooBusy: others take the memory.
        """
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._most:
            raise TooLarge(f"found {length} bytes, expected at most {self._most}")
        try:
            async with asyncio.timeout(self._seconds):
                return await self._received(parts)
        except TimeoutError as exc:
            raise TooSlow(f"the body did not come within {self._seconds:g} s") from exc

    async def _received(self, parts: AsyncIterable[bytes]) -> bytes:
        found, size = list[bytes](), 0
        try:
            async for part in parts:
                size += len(part)
                self._coming += len(part)
                if size > self._most:
                    raise TooLarge(f"found more than {self._most} bytes, expected at most that")
                if self._coming > self._bound:
                    raise TooBusy(f"more than {self._bound} bytes of requests are on their way")
                found.append(part)
            return b"".join(found)
        finally:
            self._coming -= size
