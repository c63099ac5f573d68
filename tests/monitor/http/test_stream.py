"""The stream of the page: one conflated frame a second, for fast and slow readers."""

import asyncio
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from monitor.http.stream import FRAME_SECONDS, FrameHub, event_of, send_frames
from monitor.page.live import Frame
from tests.featurizer.market import START
from tests.monitor.http.test_api import Client, Service, ask
from tests.monitor.page.world import said
from tests.monitor.world import SECOND


def parsed(block: bytes) -> tuple[str, str, Any]:
    """Id, name and data of one event."""
    fields = dict(line.split(": ", 1) for line in block.decode().strip().splitlines())
    return fields["id"], fields["event"], json.loads(fields["data"])


@pytest.fixture
def service() -> Service:
    """One product."""
    service = Service()
    service.lived.take(said(0))
    return service


def test_a_client_gets_a_snapshot_then_frames_and_beats(service: Service) -> None:
    """At once what is, then what is new each second, and every other time a sign of life."""

    async def listen(client: Client) -> list[bytes]:
        async with client.get("/signals/stream") as answer:
            assert answer.content_type == "text/event-stream"
            blocks = [await answer.content.readuntil(b"\n\n") for _ in range(2)]
            for n in (1, 2):
                service.lived.take(said(n))
                service.frames.turn()
                blocks.append(await answer.content.readuntil(b"\n\n"))
            blocks.append(await answer.content.readuntil(b"\n\n"))
            service.frames.close()
            assert await answer.content.read() == b""
            return blocks

    retry, *blocks = ask(service, listen)
    assert retry == b"retry: 2000\n\n"
    found = [parsed(block) for block in blocks]
    names = [("0", "snapshot"), ("1", "frame"), ("2", "frame"), ("2", "beat")]
    assert [(i, name) for i, name, _ in found] == names
    assert [data["products"][0]["taken"] for _, _, data in found[:3]] == [1, 2, 3]
    assert found[3][2] == {"server_us": START, "event_us": START + 2 * SECOND}


def test_a_slow_reader_gets_the_newest_and_is_not_dropped(service: Service) -> None:
    """What it could not take in time is left out, however long it takes; the others go on."""

    async def run() -> tuple[list[bytes], list[bytes]]:
        hub, slow, fast = service.frames, list[bytes](), list[bytes]()
        free = asyncio.Event()

        async def late(data: bytes) -> None:
            slow.append(data)
            await free.wait()

        async def prompt(data: bytes) -> None:
            fast.append(data)

        with hub.listening(), hub.listening():
            tasks = [asyncio.create_task(send_frames(write, hub)) for write in (late, prompt)]
            await asyncio.sleep(0)
            for n in range(1, 51):
                service.lived.take(said(n))
                hub.turn()
                await asyncio.sleep(0)
            free.set()
            await asyncio.sleep(0)
            hub.turn()
            await asyncio.sleep(0)
            hub.close()
            await asyncio.wait_for(asyncio.gather(*tasks), 10)
        return slow, fast

    slow, fast = asyncio.run(run())
    numbers = [[i for i, name, _ in map(parsed, got) if name == "frame"] for got in (slow, fast)]
    assert numbers[1] == [str(n) for n in range(1, 52)]
    assert numbers[0][0] == "1" and numbers[0][-1] == "51"
    assert len(numbers[0]) <= 3


def test_nothing_is_made_where_nobody_listens(service: Service) -> None:
    """A page that is closed or hidden costs nothing."""
    service.frames.turn()
    assert (service.frames.number, service.frames.newest, len(service.frames)) == (0, b"", 0)
    with service.frames.listening():
        service.frames.turn()
    assert service.frames.number == 1


def test_a_stream_asked_for_after_the_end_has_the_snapshot_alone(service: Service) -> None:
    """A monitor that stops keeps nobody waiting."""

    async def listen(client: Client) -> bytes:
        service.frames.close()
        async with client.get("/signals/stream") as answer:
            found: bytes = await answer.read()
            return found

    assert ask(service, listen).count(b"event: ") == 1


def test_a_frame_is_made_each_second(service: Service) -> None:
    """Until the task is cancelled."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 4:
            raise asyncio.CancelledError

    async def run() -> None:
        with service.frames.listening():
            await service.frames.run(sleep)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
    assert (service.frames.number, set(slept)) == (3, {FRAME_SECONDS})


def test_a_frame_that_fails_is_left_out_and_told_once(service: Service) -> None:
    """The stream goes on with the next frame that can be made."""
    made, slept = service.lived.live.frame, list[float]()

    def frame(now_us: int) -> Frame:
        if len(slept) in (1, 2):
            raise ValueError("no frame")
        return made(now_us)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 4:
            raise asyncio.CancelledError

    async def run(hub: FrameHub) -> None:
        with hub.listening():
            await hub.run(sleep)

    hub = FrameHub(frame, service.lived.live.beat, lambda: START / SECOND)
    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        asyncio.run(run(hub))
    assert [log["event"] for log in logs] == ["monitor.frame_failed"]
    assert parsed(hub.newest)[1] == "frame"


def test_an_event_has_id_name_and_data() -> None:
    """As browsers read them."""
    hub = FrameHub(Service().lived.live.frame, Service().lived.live.beat, lambda: 1.5)
    beat = Service().lived.live.beat(1_500_000)
    assert event_of("beat", 3, beat).startswith(b"id: 3\nevent: beat\ndata: {")
    with hub.listening() as snapshot:
        assert parsed(snapshot)[2]["server_us"] == 1_500_000
