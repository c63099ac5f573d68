"""What is dear to make is made once for all who ask soon."""

import asyncio

import pytest

from monitor.http.kept import Kept


def test_many_at_once_and_soon_after_get_one_answer() -> None:
    """Each key has its own; after its seconds it is made anew."""
    made, now = list[int](), [0.0]

    def make(key: int) -> int:
        made.append(key)
        return 10 * key + len(made)

    async def ask() -> None:
        kept = Kept(make, 5.0, lambda: now[0])
        assert await asyncio.gather(*(kept.of(1) for _ in range(4))) == [11] * 4
        assert await kept.of(2) == 22
        now[0] = 5.0
        assert await kept.of(1) == 11
        now[0] = 5.1
        assert await kept.of(1) == 13

    asyncio.run(ask())
    assert made == [1, 2, 1]


def test_a_failure_is_not_kept() -> None:
    """Who asks next has it made."""
    answers = iter([TimeoutError("away"), 7])

    def make(key: None) -> int:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    async def ask() -> None:
        kept = Kept(make, 5.0)
        with pytest.raises(TimeoutError):
            await kept.of(None)
        assert await kept.of(None) == 7

    asyncio.run(ask())
