"""What waits between socket and Kafka, in memory and in a file."""

import asyncio
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.backlog.spill import KILLED, Spill
from ingestor.backlog.waiting import Backlog
from ingestor.intake import Item, Opened, Received

OPENED = Opened("coinbase", 1, None)
WAIT = 30


def frame(number: int) -> Received:
    """A frame of some length."""
    return Received(b"x" * (number % 7) + b"%d" % number, number)


async def taken(backlog: Backlog, most: int) -> list[Item | None]:
    """A batch, as the service takes one."""
    batch = [await asyncio.wait_for(backlog.get(), WAIT)]
    while len(batch) < most and not backlog.empty():
        batch.append(backlog.get_nowait())
    return batch


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), memory=st.integers(1, 5), room=st.integers(0, 2_000))
def test_all_come_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, seed: int, memory: int, room: int
) -> None:
    """However they gather and are taken, with a file of any size or none."""
    chance = Random(seed)
    given_: list[Item] = [OPENED, *(frame(number) for number in range(200))]

    async def scenario() -> list[Item | None]:
        spill = Spill(tmp_path_factory.mktemp("spill"), room) if room else None
        backlog, found = Backlog(memory, spill), list[Item | None]()

        async def fill() -> None:
            for item in given_:
                await backlog.put(item)
                if chance.random() < 0.2:
                    await asyncio.sleep(0)
            await backlog.put(None)

        filling = asyncio.create_task(fill())
        while None not in found:
            for _ in range(chance.choice((0, 0, 40))):
                await asyncio.sleep(0)
            found += await taken(backlog, chance.randint(1, 30))
            await backlog.settle()
        await filling
        if spill is not None:
            assert spill.empty
            spill.close()
        return found

    assert asyncio.run(scenario()) == [*given_, None]


def test_where_nothing_more_fits_it_waits_and_counts(tmp_path: Path) -> None:
    """The socket is not read then; once there is room it goes on."""
    full: list[int] = []

    async def scenario() -> None:
        backlog = Backlog(1, Spill(tmp_path, 60), lambda: full.append(1))
        for item in (OPENED, frame(1)):
            await asyncio.wait_for(backlog.put(item), WAIT)
        assert backlog.qsize() == 1 and backlog.spilled() > 0
        waiting = asyncio.create_task(backlog.put(Received(b"y" * 40, 2)))
        await asyncio.sleep(0)
        assert not waiting.done() and full == [1]
        assert await taken(backlog, 9) == [OPENED, frame(1)]
        await backlog.settle()
        await asyncio.wait_for(waiting, WAIT)
        assert await taken(backlog, 9) == [Received(b"y" * 40, 2)]

    asyncio.run(scenario())


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_killed_anywhere_what_was_not_settled_comes_again(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Of the file nothing is lost; in memory were the oldest, which a kill takes as ever."""
    chance, folder = Random(seed), tmp_path_factory.mktemp("spill")

    async def killed() -> tuple[set[int], set[int]]:
        """Return what was put, and what was published or stood in memory alone."""
        spill = Spill(folder, 100_000)
        backlog, number, gone = Backlog(3, spill), 0, set[int]()
        await backlog.put(OPENED)
        for _ in range(chance.randint(5, 40)):
            for _ in range(chance.randint(0, 12)):
                await backlog.put(frame(number))
                number += 1
            if backlog.empty():
                continue
            waiting = backlog.qsize()
            batch = await taken(backlog, chance.randint(1, 8))
            if chance.random() < 0.1:  # killed before its delivery
                gone |= numbers(batch[:waiting])
                break
            gone |= numbers(batch)
            await backlog.settle()
        while backlog.qsize():
            gone |= numbers([backlog.get_nowait()])
        spill.close()
        return set(range(number)), gone

    async def again() -> list[Item | None]:
        spill = Spill(folder, 100_000)
        backlog, found = Backlog(3, spill), list[Item | None]()
        await backlog.put(None)
        while None not in found:
            found += await taken(backlog, 50)
        spill.close()
        return found[:-1]

    everything, gone = asyncio.run(killed())
    left = asyncio.run(again())
    assert numbers(left) == everything - gone
    assert [item for item in left if isinstance(item, Received)] == [
        frame(number) for number in sorted(numbers(left))
    ]
    assert not left or left[0] == Opened("coinbase", 1, KILLED)


def numbers(items: list[Item | None]) -> set[int]:
    """The numbers of the frames among items."""
    return {item.at_us for item in items if isinstance(item, Received)}
