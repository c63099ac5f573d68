"""Bodies of requests, within their bounds."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapter.bodies import Bodies, TooBusy, TooLarge, TooSlow


async def parts(*given: bytes) -> AsyncIterator[bytes]:
    """Bytes that come at once."""
    for part in given:
        yield part


async def never() -> AsyncIterator[bytes]:
    """A beginning, and nothing more."""
    yield b"a"
    await asyncio.Event().wait()


def test_a_body_is_whole() -> None:
    """In the order in which its parts came."""
    bodies = Bodies(10, 10, 60.0)
    assert asyncio.run(bodies.read({}, parts(b"ab", b"c"))) == b"abc"


@pytest.mark.parametrize(
    ("headers", "given", "kind"),
    [
        ({"content-length": "11"}, (b"",), TooLarge),
        ({}, (b"123456", b"123456"), TooLarge),
    ],
)
def test_too_many_bytes_are_refused(
    headers: dict[str, str], given: tuple[bytes, ...], kind: type[Exception]
) -> None:
    """Said beforehand or found on the way."""
    with pytest.raises(kind, match="expected at most"):
        asyncio.run(Bodies(10, 100, 60.0).read(headers, parts(*given)))


def test_what_is_refused_is_let_go_of() -> None:
    """The bound is of what is on its way now, not of all that ever was."""

    async def scenario() -> bytes:
        bodies = Bodies(100, 10, 0.01)
        with pytest.raises(TooSlow, match=r"within 0\.01 s"):
            await bodies.read({}, never())
        for _ in range(3):
            with pytest.raises(TooBusy, match="more than 10 bytes"):
                await bodies.read({}, parts(b"12345678901"))
        return await bodies.read({}, parts(b"1234567890"))

    assert asyncio.run(scenario()) == b"1234567890"


def test_bodies_share_the_bound() -> None:
    """While one is on its way, another finds less room."""

    async def scenario() -> None:
        bodies = Bodies(100, 10, 60.0)
        waiting = asyncio.create_task(bodies.read({}, never()))
        await asyncio.sleep(0)
        with pytest.raises(TooBusy):
            await bodies.read({}, parts(b"1234567890"))
        waiting.cancel()

    asyncio.run(scenario())
