"""Faults on demand, without a socket: what is read, how long it lasts, what it does."""

import msgspec
import pytest

from simulator.faults import (
    MALFORMED,
    MOST_HELD,
    NAMES,
    Clock,
    Delist,
    Faults,
    Malformed,
    Mute,
    NextFrames,
    Oversized,
    Refuse,
    Regime,
    Reorder,
    Repeat,
    Slow,
    frame_of,
    read_fault,
)


class Now:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now() -> Now:
    """It stands at 0."""
    return Now()


@pytest.fixture
def faults(now: Now) -> Faults:
    """None yet."""
    return Faults(now)


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_is_read_as_it_is_written(name: str) -> None:
    """With what it needs, and no more."""
    more = {"seconds": 5, "step_seconds": 3, "product_id": "BTC-USD", "mood": "wild"}
    needed = {"mute": ("seconds",), "refuse": ("seconds",), "slow": ("seconds",)} | {
        "delist": ("seconds", "product_id"),
        "clock": ("seconds", "step_seconds"),
        "regime": ("mood", "seconds"),
    }
    given = {"kind": name} | {key: more[key] for key in needed.get(name, ())}
    fault = read_fault(msgspec.json.encode(given))
    assert msgspec.to_builtins(fault)["kind"] == name
    assert read_fault(msgspec.json.encode(fault)) == fault


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b'{"kind": "explode"}', "explode"),
        (b'{"kind": "mute"}', "seconds"),
        (b'{"kind": "mute", "seconds": 0}', "> 0"),
        (b'{"kind": "mute", "seconds": 5, "channel": "level2"}', "level2"),
        (b'{"kind": "skip", "count": 0}', ">= 1"),
        (b'{"kind": "drop", "now": true}', "now"),
        (b"\xff", "expected one of clock, crash, delist, drop"),
    ],
)
def test_what_is_none_is_refused_by_name(data: bytes, named: str) -> None:
    """With what was found, or what was expected."""
    with pytest.raises(ValueError, match="fault: ") as refused:
        read_fault(data)
    assert named in str(refused.value)


def test_one_lasts_as_long_as_it_is_to(faults: Faults, now: Now) -> None:
    """Begun again it lasts from then on; all can be ended."""
    mute = Mute(seconds=10.0, channel="ticker", product_id="BTC-USD")
    faults.begin(mute)
    now.seconds = 9.0
    faults.begin(mute)
    assert list(faults.standing()) == [(mute, 10.0)]
    now.seconds = 18.9
    assert faults.mutes("ticker", "BTC-USD")
    assert not faults.mutes("ticker", "ETH-USD") and not faults.mutes("market_trades", "BTC-USD")
    now.seconds = 19.0
    assert not faults.mutes("ticker", "BTC-USD")
    faults.begin(mute)
    faults.end()
    assert not list(faults.standing())


def test_more_than_so_many_are_refused(faults: Faults) -> None:
    """Nobody fills the memory by them."""
    for number in range(MOST_HELD):
        faults.begin(Mute(seconds=10.0, product_id=f"P{number}-USD"))
    with pytest.raises(ValueError, match="expected fewer"):
        faults.begin(Mute(seconds=10.0))


def test_all_channels_of_all_products_are_muted(faults: Faults) -> None:
    """Heartbeats, too; those are of no product."""
    faults.begin(Mute(seconds=1.0, product_id="BTC-USD"))
    assert not faults.mutes("heartbeats")
    faults.begin(Mute(seconds=1.0))
    assert faults.mutes("heartbeats") and faults.mutes("ticker", "ETH-USD")


def test_the_others_say_what_they_do(faults: Faults) -> None:
    """Refusals, products that are gone, the clock and the pace."""
    faults.begin(Refuse(seconds=1.0, channel="ticker"))
    faults.begin(Delist(seconds=1.0, product_id="ETH-USD"))
    faults.begin(Clock(seconds=1.0, step_seconds=-2.5))
    faults.begin(Slow(seconds=1.0, delay_seconds=0.25))
    assert faults.refuses("ticker") and not faults.refuses("heartbeats")
    assert faults.delisted() == {"ETH-USD"} and faults.mutes("market_trades", "ETH-USD")
    assert faults.clock_step_us() == -2_500_000 and faults.delay() == 0.25


def test_a_mood_is_held_and_a_price_falls_once(faults: Faults, now: Now) -> None:
    """Of the product that is named, or of all; then the market is its own again."""
    faults.begin(Regime(mood="wild", seconds=5.0, product_id="BTC-USD"))
    assert [faults.mood(name) for name in ("BTC-USD", "ETH-USD")] == ["wild", None]
    faults.crash("BTC-USD", 25.0)
    assert [faults.fall("ETH-USD"), faults.fall("BTC-USD"), faults.fall("BTC-USD")] == [1, 0.75, 1]
    now.seconds = 5.0
    assert faults.mood("BTC-USD") is None


def test_frames_come_twice_and_change_places() -> None:
    """So many of them, then as ever; none is lost."""
    following = NextFrames()
    following.take(Repeat(count=2))
    following.take(Reorder(count=1))
    sent = [following.of(frame) for frame in (b"a", b"b", b"c", b"d", b"e")]
    assert sent == [[], [b"b", b"a"], [b"c", b"c"], [b"d", b"d"], [b"e"]]


def test_a_frame_that_is_none_has_its_form_and_size() -> None:
    """The oversized one is JSON to its last byte."""
    assert {
        frame_of(read_fault(b'{"kind":"malformed","form":"%s"}' % form.encode()))  # type: ignore[arg-type]
        for form in MALFORMED
    } == set(MALFORMED.values())
    assert frame_of(Malformed()) == MALFORMED["cut"]
    whole = frame_of(Oversized(size=5_000))
    assert len(whole) == 5_000 and msgspec.json.decode(whole)["channel"] == "ticker"
