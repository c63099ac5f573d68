"""A webhook over a real connection: signed, retried, bounded, and in nobody's way."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from monitor.config import Settings
from monitor.delivery.standard_webhooks import headers, key_of
from monitor.delivery.webhook import MOST, BadWebhook, Pace, Webhook
from monitor.metrics import MonitorMetrics
from plumbing.backoff import Backoff
from tests.monitor.delivery.world import names, started
from tests.signals.world import FIRST
from tests.waiting import eventually

KEY = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
AT_ONCE = Pace(together=0.0, hold=300.0, retries=Backoff(1.0, 8.0, draw=max))


class Receiver:
    """A server that gives these answers, one after the other, then 200; and what it was sent."""

    def __init__(self, answers: Sequence[int] = ()) -> None:
        self.answers, self.got = list(answers), list[web.Request]()
        self.bodies = list[bytes]()
        self.waits, self.now = list[float](), 0.0
        self.metrics = MonitorMetrics(CollectorRegistry())

    async def post(self, request: web.Request) -> web.Response:
        self.got.append(request)
        self.bodies.append(await request.read())
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def wait(self, seconds: float) -> None:
        """Let the time pass that a retry waits for."""
        self.waits.append(seconds)
        self.now += seconds

    def count(self, result: str) -> float | None:
        name = "monitor_webhook_deliveries_total"
        return self.metrics.registry.get_sample_value(name, {"result": result})

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is so."""
        await asyncio.to_thread(eventually, true)

    def starts(self) -> list[list[tuple[str, str]]]:
        """Products and levels, by request."""
        return [names(json.loads(body)["data"]["starts"]) for body in self.bodies]


def run(receiver: Receiver, act: Callable[[Webhook], Awaitable[Any]], pace: Pace = AT_ONCE) -> None:
    """Let a webhook post to the receiver while something is done."""

    async def talk() -> None:
        app = web.Application()
        app.router.add_post("/hook", receiver.post)
        async with TestServer(app) as server:
            webhook = Webhook(
                str(server.make_url("/hook")),
                KEY,
                receiver.metrics,
                pace=pace,
                clock=lambda: receiver.now,
                wall=lambda: float(FIRST + 31),
                wait=receiver.wait,
            )
            sending = asyncio.create_task(webhook.run())
            await act(webhook)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    asyncio.run(talk())


def test_a_start_is_posted_with_its_signature() -> None:
    """The receiver can check it with the secret alone."""
    receiver = Receiver()

    async def act(webhook: Webhook) -> None:
        webhook.offer(started())
        await receiver.until(lambda: receiver.count("delivered") == 1)

    run(receiver, act)
    [request], [body] = receiver.got, receiver.bodies
    expected = headers(request.headers["webhook-id"], FIRST + 31, body, KEY)
    assert expected.items() <= {k.lower(): v for k, v in request.headers.items()}.items()
    assert request.headers["Content-Type"] == "application/json"
    assert receiver.starts() == [[("BTC-USD", "spike")]]


def test_starts_that_come_together_are_one_message() -> None:
    """Of several products within the time that is waited; one after that is another message."""
    receiver = Receiver()

    async def act(webhook: Webhook) -> None:
        for name in ("BTC-USD", "ETH-USD"):
            webhook.offer(started(name))
        await receiver.until(lambda: receiver.count("delivered") == 1)
        receiver.now += 400
        webhook.offer(started("SOL-USD"))
        await receiver.until(lambda: receiver.count("delivered") == 2)

    # The clock stands still while it waits, so that the wait for company alone decides.
    run(receiver, act, Pace(together=0.2))
    assert receiver.starts() == [
        [("BTC-USD", "spike"), ("ETH-USD", "spike")],
        [("SOL-USD", "spike")],
    ]


def test_what_is_refused_is_sent_again_with_the_same_id() -> None:
    """After delays that grow; the receiver can tell a repeat by the id."""
    receiver = Receiver(answers=[503, 302, 401])

    async def act(webhook: Webhook) -> None:
        webhook.offer(started())
        await receiver.until(lambda: receiver.count("delivered") == 1)

    run(receiver, act)
    assert len({request.headers["webhook-id"] for request in receiver.got}) == 1
    assert (len(receiver.got), receiver.waits) == (4, [1.0, 2.0, 4.0])


def test_what_nobody_receives_is_given_up() -> None:
    """Minutes later a start is of no use; the next one is tried."""
    receiver = Receiver(answers=[500] * 6)

    async def act(webhook: Webhook) -> None:
        webhook.offer(started())
        await receiver.until(lambda: receiver.count("failed") == 1)
        receiver.answers.clear()
        webhook.offer(started("ETH-USD"))
        await receiver.until(lambda: receiver.count("delivered") == 1)

    run(receiver, act, Pace(together=0.0, hold=10.0, retries=Backoff(4.0, 4.0, draw=max)))
    assert receiver.waits == [4.0, 4.0]
    assert receiver.starts()[-1] == [("ETH-USD", "spike")]


def test_nobody_listening_is_a_failed_delivery() -> None:
    """No connection is like a refusal."""
    receiver = Receiver()

    async def talk() -> None:
        pace = Pace(together=0.0, hold=0.0, retries=Backoff(1.0, 1.0, draw=max))
        webhook = Webhook(
            "http://127.0.0.1:1/", KEY, receiver.metrics, pace=pace, wall=lambda: FIRST + 31.0
        )
        sending = asyncio.create_task(webhook.run())
        webhook.offer(started())
        await receiver.until(lambda: receiver.count("failed") == 1)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    asyncio.run(talk())


def test_more_starts_than_may_wait_are_dropped_and_counted() -> None:
    """Offering never waits, and memory is bounded."""
    receiver = Receiver()
    webhook = Webhook("http://h/", KEY, receiver.metrics, wall=lambda: FIRST + 31.0)
    for n in range(MOST + 3):
        webhook.offer(started(f"P{n}-USD"))
    assert receiver.count("dropped") == 3


def test_what_is_old_or_seeded_is_not_posted() -> None:
    """It is not even waiting: what comes after it is the first request."""
    receiver = Receiver()

    async def act(webhook: Webhook) -> None:
        webhook.offer(started("OLD-USD", at=30, received_us=FIRST * 1_000_000))
        webhook.offer(started("SEED-USD", tau_status="seeded"))
        webhook.offer(started())
        await receiver.until(lambda: receiver.count("delivered") == 1)

    run(receiver, act)
    assert receiver.starts() == [[("BTC-USD", "spike")]]


def test_without_an_address_there_is_no_webhook() -> None:
    """Nothing is posted anywhere unless somebody says where."""
    assert Webhook.of(Settings(webhook_url=""), MonitorMetrics(CollectorRegistry())) is None


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"webhook_url": "https://h/"}, "MONITOR_WEBHOOK_SECRET: found one that does not begin"),
        ({"webhook_url": "https://h/", "webhook_secret": "whsec_x"}, "MONITOR_WEBHOOK_SECRET"),
        ({"webhook_url": "nowhere"}, "MONITOR_WEBHOOK_URL: found one of the scheme"),
    ],
)
def test_settings_that_cannot_be_used_end_the_process(given: dict[str, str], named: str) -> None:
    """In words of what is wrong, without the secret."""
    with pytest.raises(BadWebhook, match=named) as caught:
        Webhook.of(Settings(**given), MonitorMetrics(CollectorRegistry()))
    assert "whsec_x" not in str(caught.value)
