"""Frames of a generated market, spoilt in every way that we could think of, from a seed."""

import random
from collections.abc import Iterator
from copy import deepcopy
from itertools import islice
from typing import Any, Final

import msgspec

from ingestor.instant import SECOND_US
from ingestor.recordings.recording import Frame
from simulator.market import frames

START_US: Final = 1_704_067_200 * SECOND_US
PRODUCTS: Final = ("BTC-USD", "ETH-USD")
SPOILT: Final = 0.4
"""The share of frames that are spoilt; the others keep the state that these are to upset."""
VALUES: Final = (
    None, True, "", " ", "NaN", "-inf", "1e400", "-1", "0", "\x00", "é" * 99, "9" * 25, "9" * 400,
    0, -1, 1.5, -0.0, 1e308, 5e-324, 2**31, 2**53 + 1, 2**63 - 1, -(2**63),
    [], {}, [[]], [{}], [None], {"type": "error"}, "BTC-USDC", "A" * 70, "ticker",
    "1969-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999Z", "2024-02-30T00:00:00Z",
    "0001-01-01T00:00:00+23:59", "2024-01-01T00:00:00.123456789+14:00",
)  # fmt: skip
TEXTS: Final = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"9" * 40, b"-" + b"9" * 40,
    b"9" * 5_000, b'"' + b"9" * 5_000 + b'"', b"[" * 5_000, b'{"a":' * 5_000, b'"\\ud800"',
    b'"\xff\xfe"', b"tru", b"0x10", b"'", b"{}{}", b"null",
)  # fmt: skip
"""Values that no encoder would write."""
EXTRA: Final = (
    {"channel": "subscriptions", "events": [{"subscriptions": {"ticker": ["BTC-USD"]}}]},
    {"channel": "status", "events": [{"products": [{"id": "ETH-USD", "status": "offline"}]}]},
    {"channel": "status", "events": [{"products": [{"id": "ETH-USD", "status": "online"}]}]},
    {"type": "error", "message": "rate limited"},
    {"channel": "l2_data", "events": []},
)


def spoilt_frames(seed: int, count: int) -> Iterator[Frame]:
    """Return so many frames of one connection, two fifths of them spoilt; a seed gives the same."""
    draw = random.Random(seed)
    return islice(_spoilt(draw, frames(seed, PRODUCTS, START_US)), count)


def _spoilt(draw: random.Random, market: Iterator[Frame]) -> Iterator[Frame]:
    held: Frame | None = None
    for frame in market:
        if draw.random() >= SPOILT:
            yield frame
        elif draw.random() < 0.1:
            held, frame = frame, held or frame
            yield from (frame,) * draw.choice((0, 1, 1, 2))
        else:
            yield Frame(frame.time_us, mutated(draw, frame.data))


def mutated(draw: random.Random, data: bytes) -> bytes:
    """Spoil a frame once or a few times, first by its content, then by its bytes."""
    content: Any = msgspec.json.decode(data)
    if draw.random() < 0.05:
        content = {**content, **deepcopy(draw.choice(EXTRA))}
    for _ in range(draw.choice((0, 1, 1, 1, 2, 4))):
        _spoil_value(draw, content)
    data = msgspec.json.encode(content)
    for _ in range(draw.choice((0, 0, 0, 0, 0, 0, 1, 2))):
        data = draw.choice(BYTES)(draw, data)
    return data


def _spoil_value(draw: random.Random, content: Any) -> None:
    """Change one place of a frame: walk down at random, then drop, replace, copy or nest."""
    at = content
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            return
        key = draw.choice(keys)
        deeper = isinstance(at[key], dict | list) and draw.random() < 0.85
        if not deeper:
            break
        at = at[key]
    draw.choice(PLACES)(draw, at, key)


def _drop(_: random.Random, at: Any, key: Any) -> None:
    del at[key]


def _replace(draw: random.Random, at: Any, key: Any) -> None:
    at[key] = deepcopy(draw.choice(VALUES))


def _nest(draw: random.Random, at: Any, key: Any) -> None:
    at[key] = draw.choice(([at[key]], {"a": at[key]}, [at[key], deepcopy(at[key])]))


def _turn(_: random.Random, at: Any, key: Any) -> None:
    """Make a text of a number, and a number of a text."""
    value = at[key]
    try:
        at[key] = float(value) if isinstance(value, str) else str(value)
    except ValueError:
        at[key] = len(value)


def _number(draw: random.Random, at: Any, key: Any) -> None:
    """Change a number, in a text or not, by a step, a sign or a power."""
    try:
        value = int(at[key])
    except (TypeError, ValueError, OverflowError):
        return
    changed = draw.choice((value + 1, value - 1, value + 1000, -value, value // 2, value**2))
    at[key] = str(changed) if isinstance(at[key], str) or abs(changed) > 2**63 - 1 else changed


PLACES: Final = (_drop, _replace, _replace, _nest, _turn, _number, _number)


def _cut(draw: random.Random, data: bytes) -> bytes:
    return data[: draw.randrange(len(data) + 1)]


def _flip(draw: random.Random, data: bytes) -> bytes:
    at = draw.randrange(len(data) + 1)
    return data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :]


def _insert(draw: random.Random, data: bytes) -> bytes:
    at = draw.randrange(len(data) + 1)
    return data[:at] + draw.choice(TEXTS) + data[at:]


def _value(draw: random.Random, data: bytes) -> bytes:
    """Put what no encoder writes into the place of a value."""
    head, colon, tail = data.partition(draw.choice(COLONS))
    at = min((tail.find(end) for end in b",}" if end in tail), default=len(tail))
    return head + colon + draw.choice(TEXTS) + tail[at:] if colon else data


def _double(draw: random.Random, data: bytes) -> bytes:
    """Name a key twice."""
    name = draw.choice(COLONS)
    return data.replace(name, name + draw.choice((b"null,", b'"1",', b"-7,")) + name, 1)


def _swap(draw: random.Random, data: bytes) -> bytes:
    at = draw.randrange(len(data) + 1)
    return data[at:] + data[:at]


COLONS: Final = tuple(
    b'"%s":' % name
    for name in (
        b"channel", b"timestamp", b"sequence_num", b"events", b"price", b"best_bid", b"best_ask",
        b"best_bid_quantity", b"product_id", b"trade_id", b"heartbeat_counter", b"tickers",
    )
)  # fmt: skip
BYTES: Final = (_cut, _flip, _flip, _insert, _value, _value, _double, _swap)
