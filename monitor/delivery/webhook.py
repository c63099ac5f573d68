"""Starts told to a webhook: together, retried, and never in the way of anything else."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Self, TypeVar

import aiohttp

from monitor.config import Settings
from monitor.delivery.standard_webhooks import check_address, headers, key_of
from monitor.delivery.starts import Message, Sparing, Start, message_of, start_of
from monitor.metrics import MonitorMetrics
from plumbing.backoff import Backoff
from plumbing.logs import get_logger
from signals.records import Record

Checked = TypeVar("Checked")
MOST: Final = 100
"""Messages, and starts, that may wait; what comes on top is dropped, and counted."""
RETRIES: Final = Backoff(first=1.0, longest=30.0)
ATTEMPT_SECONDS: Final = 10.0


class BadWebhook(SystemExit):
    """Address or secret cannot be used; the process ends with these words."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: starts that come within ``together`` are one message, given up after ``hold``."""

    together: float = 10.0
    hold: float = 300.0
    retries: Backoff = RETRIES


class Webhook:
    """Used in the event loop only; ``offer`` never waits.

    ``clock`` is monotonic, ``wall`` the time of day, both in seconds.
    """

    def __init__(
        self,
        url: str,
        key: bytes,
        metrics: MonitorMetrics,
        *,
        pace: Pace = Pace(),
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._url, self._key, self._metrics, self._pace = url, key, metrics, pace
        self._clock, self._wall, self._wait = clock, wall, wait
        self._sparing = Sparing()
        self._starts: asyncio.Queue[Start] = asyncio.Queue(MOST)
        self._messages: asyncio.Queue[Message] = asyncio.Queue(MOST)

    @classmethod
    def of(cls, settings: Settings, metrics: MonitorMetrics) -> Self | None:
        """Return the webhook of the settings, None without an address; raises ``BadWebhook``."""
        if not settings.webhook_url:
            return None
        secret = settings.webhook_secret
        _checked("URL", check_address, settings.webhook_url)
        key = _checked("SECRET", key_of, secret.get_secret_value() if secret else "")
        return cls(settings.webhook_url, key, metrics)

    def offer(self, record: Record) -> None:
        """Take what a record starts, if it is to be told."""
        start = start_of(record, self._now_us())
        if start is None:
            return
        try:
            self._starts.put_nowait(start)
        except asyncio.QueueFull:
            self._ended("dropped", start.signal_id)

    async def run(self) -> None:
        """Gather and send until cancelled."""
        timeout = aiohttp.ClientTimeout(total=ATTEMPT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._gather())
            tasks.create_task(self._send(session))

    async def _gather(self) -> None:
        while True:
            starts = self._sparing.admit(await self._together(), self._clock())
            if not starts:
                continue
            message = message_of(starts, self._now_us(), self._clock())
            try:
                self._messages.put_nowait(message)
            except asyncio.QueueFull:
                self._ended("dropped", message.name)

    async def _together(self) -> list[Start]:
        """Wait for a start, then for those that come soon after it."""
        starts = [await self._starts.get()]
        until = self._clock() + self._pace.together
        while (left := until - self._clock()) > 0:
            try:
                starts.append(await asyncio.wait_for(self._starts.get(), left))
            except TimeoutError:
                break
        return starts

    async def _send(self, session: aiohttp.ClientSession) -> None:
        while True:
            message = await self._messages.get()
            received = await self._persist(session, message)
            self._ended("delivered" if received else "failed", message.name)

    async def _persist(self, session: aiohttp.ClientSession, message: Message) -> bool:
        """Try until it is received or too old to be of use."""
        for delay in self._pace.retries:
            if await self._attempt(session, message):
                return True
            if self._clock() + delay - message.made > self._pace.hold:
                break
            await self._wait(delay)
        return False

    async def _attempt(self, session: aiohttp.ClientSession, message: Message) -> bool:
        signed = headers(message.name, int(self._wall()), message.body, self._key)
        signed["Content-Type"] = "application/json"
        try:
            async with session.post(
                self._url, data=message.body, headers=signed, allow_redirects=False
            ) as answer:
                found: object = answer.status
                received = 200 <= answer.status < 300
        except Exception as exc:  # whatever keeps it away; its words may hold the address
            found, received = type(exc).__name__, False
        if not received:
            get_logger().warning("webhook.attempt_failed", id=message.name, reason=found)
        return received

    def _ended(self, result: str, name: str) -> None:
        self._metrics.webhook_deliveries.labels(result).inc()
        get_logger().info("webhook.ended", id=name, result=result)

    def _now_us(self) -> int:
        return int(self._wall() * 1e6)


def _checked(name: str, check: Callable[[str], Checked], value: str) -> Checked:
    try:
        return check(value)
    except ValueError as exc:
        raise BadWebhook(f"error: MONITOR_WEBHOOK_{name}: {exc}") from exc
