"""What may enter the engine: bytes of ``ticks`` become an event, or the reason why not."""

from typing import Final

import msgspec

from ingestor.tick import Break, Event, decode

SMALLEST_PRICE: Final = 1e-12
LARGEST: Final = 1e15
"""Outside of these no market quotes; inside, no ratio of two mids can overflow or vanish."""


class RefusedError(Exception):
    """A record of ``ticks`` that cannot be used; the text says what was found and expected."""


def read_event(data: bytes) -> Event:
    """Read one record of ``ticks``; live reading and reading back refuse the same ones.

    Raises:
        RefusedError: not a Tick, Beat or Break, or a quote no return can be made of.
    """
    try:
        event = decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise RefusedError(f"expected a tick, beat or break: {exc}") from exc
    if not isinstance(event, Break):
        _check_quote(event.bid, event.ask)
        _check_size("bid_size", event.bid_size)
        _check_size("ask_size", event.ask_size)
    return event


def _check_quote(bid: float, ask: float) -> None:
    if not (SMALLEST_PRICE <= bid <= LARGEST and SMALLEST_PRICE <= ask <= LARGEST):
        raise RefusedError(
            f"expected bid and ask from {SMALLEST_PRICE} to {LARGEST}, found {bid} and {ask}"
        )


def _check_size(name: str, size: float | None) -> None:
    if size is not None and not 0 <= size <= LARGEST:
        raise RefusedError(f"expected {name} from 0 to {LARGEST}, found {size}")
