"""FeedEvent: what happened to the feed; the schema of topic ``feed-events``, the gap ledger."""

from typing import Final, Literal

import msgspec

from ingestor.tick import Beat, Break, Event
from plumbing.messages import read_message

SCHEMA_VERSION: Final = 1

UNREACHABLE: Final = "cannot be reached: "
"""So begins the reason of a line ``silent`` where there is no connection; once an outage."""

Kind = Literal["connected", "reconnected", "break", "silent", "halted", "trading"]


class FeedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger; all times are epoch microseconds.

    ``at_us`` is our clock. ``reason`` says why the connection before had ended, what broke, or the
    status of a product that is halted.
    For a break, ``from_us`` is the event time up to which the product is whole (null where
    it had nothing before) and ``to_us`` the time from which it goes on;
    ``missing`` counts lost trades where that is known.
    """

    kind: Kind
    feed: str
    at_us: int
    reason: str | None = None
    product_id: str | None = None
    from_us: int | None = None
    to_us: int | None = None
    missing: int | None = None
    schema_version: int = SCHEMA_VERSION


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(FeedEvent)


def encode(event: FeedEvent) -> bytes:
    """Return the JSON of one line, as it stands in ``feed-events``."""
    return _encoder.encode(event)


def decode(data: bytes) -> FeedEvent:
    """Read one line; raises ``msgspec.DecodeError`` naming the bad field."""
    return read_message(_decoder, data, SCHEMA_VERSION)


class Ledger:
    """Turns Breaks into lines: it remembers up to where each product of a feed was whole."""

    def __init__(self) -> None:
        self._whole: dict[tuple[str, str], int] = {}

    def note(self, event: Event) -> FeedEvent | None:
        """Take the next event of ``ticks``; a Break gives a line."""
        key = (event.feed, event.product_id)
        if isinstance(event, Break):
            return FeedEvent(
                kind="break",
                feed=event.feed,
                at_us=event.received_us,
                reason=event.reason,
                product_id=event.product_id,
                from_us=self._whole.get(key),
                to_us=event.time_us,
                missing=event.missing,
            )
        until = event.time_us + 1 if isinstance(event, Beat) else event.time_us
        self._whole[key] = max(until, self._whole.get(key, until))
        return None
