"""``/service``: how the feed and the models fare, for whoever runs the system."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web

from ingestor import ledger
from ingestor.topics import CONTROL, FEED_EVENTS
from monitor.http.kept import Kept
from monitor.http.requests import RequestProblem, json_bytes, only
from monitor.page.live import Live
from monitor.page.promotions import promotions_of
from monitor.page.stages import StageTimes
from monitor.reading import LogReader, Reopened, backwards, of_topic
from plumbing.kafka import PassedOver
from serving import control

KEPT_SECONDS: Final = 5.0
LINES: Final = 100
"""Of the gap ledger, the newest."""
SWITCHES: Final = 50

Read = TypeVar("Read")


class OperationRoutes:
    """Answers from memory, and from the topics ``feed-events`` and ``control``."""

    def __init__(self, live: Live, stages: StageTimes, reader: Reopened) -> None:
        self._live, self._stages, self._reader = live, stages, reader
        self._kept: Kept[None, bytes] = Kept(lambda _: self._read(), KEPT_SECONDS)

    async def service(self, request: web.Request) -> web.Response:
        """Return rates, stages beside their budgets, the gap ledger, and what served when."""
        only(request)
        try:
            return json_bytes(await self._kept.of(None))
        except TimeoutError as exc:
            raise RequestProblem(503, "Busy", str(exc)) from exc

    def _read(self) -> bytes:
        with self._reader as reader:
            events = _newest(reader, FEED_EVENTS.name, ledger.decode, LINES)
            choices = _newest(reader, CONTROL.name, control.decode, SWITCHES)
            found: Mapping[str, Any] = {
                "rates": self._stages.rates(),
                "stages": self._stages.figures(),
                "ledger": list(events),
                "promotions": promotions_of(self._live.promotions, choices),
            }
        return msgspec.json.encode(found)


def _newest(
    reader: LogReader, topic: str, decode: Callable[[bytes], Read], most: int
) -> Iterator[Read]:
    """Return a small topic's records, newest first; tombstones say nothing."""
    beginnings, ends, passed = reader.beginnings(), reader.ends(), PassedOver("monitor, service")
    for partition in of_topic(reader.partitions(), topic):
        at = beginnings[partition], ends[partition]
        there = (record for record in backwards(reader, partition, *at) if record.value)
        for _, read in passed.read(islice(there, most), decode):
            yield read
