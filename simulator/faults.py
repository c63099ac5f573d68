"""Faults on demand: what is wrong with the exchange, for how long, on all its connections.

A fault with ``seconds`` lasts so long and ends by itself, until then it is in force; any other
happens once to the next frames of each connection, or at once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from ingestor.instant import SECOND_US

Seconds = Annotated[float, Meta(gt=0, le=3_600)]
Count = Annotated[int, Meta(ge=1, le=1_000)]
Channel = Literal["ticker", "market_trades", "heartbeats", "status"]

MALFORMED: Final = {
    "cut": b'{"channel":"ticker","timestamp":"2026-01-01T00:00:',
    "no_json": b"<html><body>502 Bad Gateway</body></html>",
    "no_object": b"[1, 2, 3]",
    "deep": b"[" * 50_000,
    "strange": b'{"channel":"ticker","timestamp":7,"sequence_num":"x","events":{"a":1e999}}',
}
MOST_HELD: Final = 100
"""Faults that may be in force together."""


class _Fault(Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """One of them, as JSON has it."""


class Drop(_Fault, frozen=True, tag="drop"):
    """All connections break, without a word."""


class Mute(_Fault, frozen=True, tag="mute"):
    """A channel, or all, says nothing more of a product, or of any; the connection stands."""

    seconds: Seconds
    channel: Channel | None = None
    product_id: str | None = None


class Refuse(_Fault, frozen=True, tag="refuse"):
    """Subscriptions to a channel, or to any, are answered by an error."""

    seconds: Seconds
    channel: Channel | None = None


class Delist(_Fault, frozen=True, tag="delist"):
    """The exchange does not know a product any more, and says nothing of it."""

    seconds: Seconds
    product_id: str


class Clock(_Fault, frozen=True, tag="clock"):
    """The exchange's clock is off by ``step_seconds``, in every frame."""

    seconds: Seconds
    step_seconds: Annotated[float, Meta(ge=-86_400, le=86_400)]


class Slow(_Fault, frozen=True, tag="slow"):
    """Each frame comes ``delay_seconds`` after the one before at the earliest."""

    seconds: Seconds
    delay_seconds: Annotated[float, Meta(gt=0, le=10)] = 0.5


class Regime(_Fault, frozen=True, tag="regime"):
    """The generated market takes on a mood and stays in it, of one product or of all."""

    mood: Literal["calm", "normal", "wild"]
    seconds: Seconds
    product_id: str | None = None


class Crash(_Fault, frozen=True, tag="crash"):
    """The price of the generated market falls at once, of one product or of all."""

    percent: Annotated[float, Meta(gt=0, le=50)] = 3.0
    product_id: str | None = None


class Skip(_Fault, frozen=True, tag="skip"):
    """So many sequence numbers are lost."""

    count: Count = 1


class Repeat(_Fault, frozen=True, tag="repeat"):
    """The next frames come twice."""

    count: Count = 1


class Reorder(_Fault, frozen=True, tag="reorder"):
    """So many times, the next two frames change places."""

    count: Count = 1


class Malformed(_Fault, frozen=True, tag="malformed"):
    """A frame comes that is none: cut, no JSON, no object, nested without end, or strange."""

    form: Literal["cut", "no_json", "no_object", "deep", "strange"] = "cut"


class Oversized(_Fault, frozen=True, tag="oversized"):
    """A frame of so many bytes comes."""

    size: Annotated[int, Meta(ge=1, le=64 * 2**20)] = 20 * 2**20


Lasting = Mute | Refuse | Delist | Clock | Slow | Regime
Fault = Drop | Lasting | Crash | Skip | Repeat | Reorder | Malformed | Oversized
NAMES: Final = tuple(sorted(str(each.__struct_config__.tag) for each in get_args(Fault)))


def read_fault(data: bytes) -> Fault:
    """Read a fault from JSON.

    >>> read_fault(b'{"kind": "mute", "channel": "ticker", "seconds": 30}')
    Mute(seconds=30.0, channel='ticker', product_id=None)

    Raises:
        ValueError: says what was found and expected.
    """
    try:
        fault: Fault = msgspec.json.decode(data, type=Fault)
        return fault
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise ValueError(f"fault: {exc}, expected one of {', '.join(NAMES)}") from exc


def frame_of(fault: Malformed | Oversized) -> bytes:
    """Return the bytes of a frame that is none."""
    if isinstance(fault, Malformed):
        return MALFORMED[fault.form]
    head, tail = b'{"channel":"ticker","padding":"', b'"}'
    return head + b"x" * (fault.size - len(head) - len(tail)) + tail


@dataclass(slots=True)
class Faults:
    """Those that last, by the time at which they end; ``clock`` is monotonic, in seconds.

    Without a clock no time passes.
    """

    clock: Callable[[], float] = float
    _until: dict[Lasting, float] = field(default_factory=dict)
    _falls: dict[str, float] = field(default_factory=dict)

    def begin(self, fault: Lasting) -> None:
        """Let one last from now on; the same one again lasts from now on, too.

        Raises:
            ValueError: so many are in force already.
        """
        if len(list(self.standing())) >= MOST_HELD:
            raise ValueError(f"found {MOST_HELD} faults in force, expected fewer")
        self._until[fault] = self.clock() + fault.seconds

    def end(self) -> None:
        """End all."""
        self._until.clear()

    def standing(self) -> Iterator[tuple[Lasting, float]]:
        """Return those in force, and for how many seconds they will be."""
        if not self._until:  # as for nearly every frame
            return
        now = self.clock()
        self._until = {fault: until for fault, until in self._until.items() if until > now}
        yield from ((fault, until - now) for fault, until in self._until.items())

    def mutes(self, channel: str, product_id: str | None = None) -> bool:
        """Say whether nothing is said on a channel, of a product where it has any."""
        return any(_mutes(fault, channel, product_id) for fault, _ in self.standing())

    def refuses(self, channel: str) -> bool:
        """Say whether a subscription to a channel is refused."""
        return any(
            isinstance(fault, Refuse) and fault.channel in (None, channel)
            for fault, _ in self.standing()
        )

    def delisted(self) -> frozenset[str]:
        """Return the products that are not known any more."""
        return frozenset(f.product_id for f, _ in self.standing() if isinstance(f, Delist))

    def clock_step_us(self) -> int:
        """Return how far the exchange's clock is off, in microseconds."""
        steps = (f.step_seconds for f, _ in self.standing() if isinstance(f, Clock))
        return int(sum(steps) * SECOND_US)

    def mood(self, product_id: str) -> str | None:
        """Return the name of the mood that a product is held in, None where it has its own."""
        held = (fault for fault, _ in self.standing() if isinstance(fault, Regime))
        return next((f.mood for f in held if f.product_id in (None, product_id)), None)

    def crash(self, product_id: str, percent: float) -> None:
        """Let a product's price fall, once."""
        self._falls[product_id] = percent

    def fall(self, product_id: str) -> float:
        """Take what a product's price falls by, as a factor, 1 where it does not."""
        return 1.0 - self._falls.pop(product_id, 0.0) / 100

    def delay(self) -> float:
        """Return the seconds from one frame to the next at least."""
        return max(
            (f.delay_seconds for f, _ in self.standing() if isinstance(f, Slow)), default=0.0
        )


def _mutes(fault: Lasting, channel: str, product_id: str | None) -> bool:
    if isinstance(fault, Delist):
        return product_id == fault.product_id
    return (
        isinstance(fault, Mute)
        and fault.channel in (None, channel)
        and fault.product_id in (None, product_id)
    )


@dataclass(slots=True)
class NextFrames:
    """What happens to the next frames of one connection."""

    repeats: int = 0
    swaps: int = 0
    _held: bytes | None = None

    def take(self, fault: Repeat | Reorder) -> None:
        """Have one more happen."""
        if isinstance(fault, Repeat):
            self.repeats += fault.count
        else:
            self.swaps += fault.count

    def of(self, frame: bytes) -> list[bytes]:
        """Return what is sent for a frame, in its order."""
        if self._held is not None:
            held, self._held = self._held, None
            return [frame, held]
        if self.swaps:
            self.swaps -= 1
            self._held = frame
            return []
        if self.repeats:
            self.repeats -= 1
            return [frame, frame]
        return [frame]
