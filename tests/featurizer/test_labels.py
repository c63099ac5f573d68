"""The label: what the next 60 seconds did, by design.md section 4."""

import gzip
import json
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurizer.labels import Label, MidLog
from ingestor.continuity import events
from ingestor.instant import instant
from ingestor.recordings.recording import read_frames
from ingestor.tick import Beat, Break, Event, Tick

MakeTick = Callable[..., Tick]
MakeBreak = Callable[[float], Break]


def fed(stream: Iterable[Event]) -> MidLog:
    """Return a log that has taken these events."""
    log_ = MidLog()
    for event in stream:
        log_.update(event)
    return log_


def test_worked_example(tick: MakeTick) -> None:
    """RV² joins the step out of the row's own second with the returns after it."""
    #  second   0        1        2        3 … 60   61
    #  mid      100 101  102      104      104      104
    #           ^row     |← Σ r_k² from k=2 →|      matures here
    #               first step: ln(102/100), from the row's own mid, not from the second's last
    stream = [tick(0.1, 100), tick(0.9, 101), tick(1.5, 102), tick(2.5, 104)]
    stream += [tick(k + 0.5, 104) for k in range(3, 62)]
    label = fed(stream).label(100_000, 100.0)
    expected = sqrt(log(102 / 100) ** 2 + log(104 / 102) ** 2)
    assert label is not None and label.volatility is not None
    assert label.volatility == pytest.approx(expected, rel=1e-15)
    assert (label.matured_us, label.reason) == (61_500_000, None)


def test_rows_of_one_second_differ_by_their_first_step(tick: MakeTick) -> None:
    """Two rows of a second share all but the step out of it."""
    log_ = fed([tick(k, 100 + k % 3) for k in range(62)])
    early, late = log_.label(0, 90.0), log_.label(0, 101.0)
    assert early is not None and late is not None
    assert early.volatility is not None and late.volatility is not None
    difference = early.volatility**2 - late.volatility**2
    assert difference == pytest.approx(log(101 / 90) ** 2, rel=1e-12)


def test_matures_with_the_first_event_of_second_61(tick: MakeTick) -> None:
    """A label is unknown until second s+61 begins, and then stays as it is."""
    log_ = fed([tick(k) for k in range(61)])
    assert log_.label(0, 100.0) is None
    log_.update(tick(61.25))
    first = log_.label(0, 100.0)
    log_.update(tick(61.5, 500.0))
    log_.update(tick(62.0, 700.0))
    assert first == log_.label(0, 100.0) == Label(0.0, 61_250_000, None)


def test_a_break_matures_too(tick: MakeTick, lost: MakeBreak) -> None:
    """A Break of second s+61 or later ends the wait, and cannot harm what is complete."""
    log_ = fed([*(tick(k) for k in range(61)), lost(75)])
    assert log_.label(0, 100.0) == Label(0.0, 75_000_000, None)
    assert log_.label(1_000_000, 100.0) == Label(None, 75_000_000, "break")


@pytest.mark.parametrize("at", [1, 30, 60])
def test_a_missing_second_is_coverage(tick: MakeTick, at: int) -> None:
    """A second without a slot, and no Break to explain it, leaves no label."""
    log_ = fed(tick(k) for k in range(62) if k != at)
    assert log_.label(0, 100.0) == Label(None, 61_000_000, "coverage")


@pytest.mark.parametrize("at", [0.5, 1.0, 29.5, 60.0])
def test_a_break_on_the_way_leaves_no_label(tick: MakeTick, lost: MakeBreak, at: float) -> None:
    """A Break between the row and the quote of second s+60 is named as the reason."""
    stream = sorted([*map(tick, range(62)), lost(at - 0.001)], key=lambda e: e.time_us)
    assert fed(stream).label(0, 100.0) == Label(None, 61_000_000, "break")


def test_a_break_mended_inside_the_rows_own_second_counts(tick: MakeTick, lost: MakeBreak) -> None:
    """A Break after the row is seen even where its own second has a later tick."""
    #  second 0: row ── Break ── tick    1 … 61
    log_ = fed([tick(0.1), lost(0.5), tick(0.9), *(tick(k) for k in range(1, 62))])
    assert log_.label(100_000, 100.0) == Label(None, 61_000_000, "break")
    assert log_.label(900_000, 100.0) == Label(0.0, 61_000_000, None)


def test_a_break_inside_second_60_unjoins_it(tick: MakeTick, lost: MakeBreak) -> None:
    """Where in its second a Break stands does not matter; one of second s+61 is too late."""
    seconds = [tick(k) for k in range(61)]
    assert fed([*seconds, lost(60.9), tick(61)]).label(0, 100.0) == Label(None, 61_000_000, "break")
    assert fed([*seconds, lost(61.1), tick(61.2)]).label(0, 100.0) == Label(0.0, 61_100_000, None)


def test_silence_ended_by_a_break_is_a_break(tick: MakeTick, lost: MakeBreak) -> None:
    """Seconds missing before a Break are missing because of it."""
    log_ = fed([*(tick(k) for k in range(40)), lost(90), tick(90)])
    assert log_.label(0, 100.0) == Label(None, 90_000_000, "break")


def test_late_and_repeated_events_change_nothing(tick: MakeTick) -> None:
    """The label stands on what the engine accepts, and on nothing else."""
    stream: list[Event] = [tick(k) for k in range(62)]
    late = [*stream[:31], tick(29.5, 500.0), tick(30, 500.0), *stream[31:]]
    assert fed(late).label(0, 100.0) == fed(stream).label(0, 100.0)


def test_a_beat_is_a_second_like_any_other(tick: MakeTick) -> None:
    """A silent second with the feed alive has a slot, and keeps the label."""
    stream: list[Event] = [tick(k) for k in range(62)]
    beat = Beat(
        feed="f",
        product_id="BTC-USD",
        dialect="advanced",
        time_us=30_999_999,
        received_us=0,
        bid=99.0,
        ask=101.0,
    )
    assert fed([*stream[:30], beat, *stream[31:]]).label(0, 100.0) == Label(0.0, 61_000_000, None)


def test_another_feed_clears_all(tick: MakeTick) -> None:
    """Event time may run backwards between feeds: nothing is carried over."""
    log_ = fed([*(tick(1000 + k) for k in range(62)), *(tick(k, feed="g") for k in range(62))])
    assert log_.feed == "g"
    assert log_.label(0, 100.0) == Label(0.0, 61_000_000, None)
    assert log_.label(1_000_000_000, 100.0) is None


def test_a_row_older_than_the_log_has_no_label(tick: MakeTick) -> None:
    """Memory is bounded: what is no longer kept is not known."""
    log_ = MidLog(seconds=100)
    for k in range(500):
        log_.update(tick(k))
    assert log_.label(0, 100.0) == Label(None, 300_000_000, "coverage")
    assert log_.label(420_000_000, 100.0) == Label(0.0, 481_000_000, None)


def test_a_long_gap_forgets_nothing(tick: MakeTick, lost: MakeBreak) -> None:
    """A gap longer than the log does not count as seconds kept."""
    log_ = fed([*(tick(k) for k in range(62)), lost(9_000_000), tick(9_000_001)])
    assert log_.label(0, 100.0) == Label(0.0, 61_000_000, None)


def recorded(seed: int) -> list[Event]:
    """Return some 200 s of ticks with a few missing seconds and Breaks, late ticks and repeats."""
    chance = random.Random(seed)
    stream: list[Event] = []
    for half in range(400):
        time_us = half * 500_000 + chance.randrange(500_000)
        if chance.random() < 0.01:
            stream.append(broken(time_us))
        elif half % 2 == 0 or chance.random() < 0.5:
            stream.append(quoted(time_us, 100 + chance.random()))
        if chance.random() < 0.05 and stream and isinstance(stream[-1], Tick):
            stream.append(quoted(stream[-1].time_us - chance.randrange(2) * 700_000, 200.0))
    return stream


def quoted(time_us: int, mid: float) -> Tick:
    """Return a tick."""
    return Tick(
        feed="f",
        product_id="P",
        dialect="advanced",
        time_us=time_us,
        received_us=0,
        price=mid,
        bid=mid,
        ask=mid,
    )


def broken(time_us: int) -> Break:
    """Return a break."""
    return Break(
        feed="f",
        product_id="P",
        dialect="advanced",
        time_us=time_us,
        received_us=0,
        reason="sequence",
    )


def slow_volatility(stream: list[Event], row: int) -> float | None:
    """Compute one row's label anew from all events: no slots, no joins, only order."""
    start = stream[row]
    second, mids, latest = start.time_us // 10**6, {}, -1
    for event in stream:
        if isinstance(event, Tick) and event.time_us > latest:
            latest = event.time_us
            mids[event.time_us // 10**6] = event.mid
    ahead = [event for event in stream[row + 1 :] if event.time_us // 10**6 <= second + 60]
    path = [start.mid] + [mids.get(k, 0.0) for k in range(second + 1, second + 61)]
    if 0.0 in path or any(isinstance(event, Break) for event in ahead):
        return None
    return sqrt(sum(log(b / a) ** 2 for a, b in pairwise(path)))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_slow_recomputation_agrees(seed: int) -> None:
    """Every accepted row's label equals one computed from the raw events, null for null."""
    stream = recorded(seed)
    log_ = fed(stream)
    latest = -1
    for at, event in enumerate(stream):
        if not isinstance(event, Tick) or event.time_us <= latest:
            continue
        latest = event.time_us
        label = log_.label(event.time_us, event.mid)
        if label is not None:
            slow = slow_volatility(stream, at)
            assert label.volatility == (slow if slow is None else pytest.approx(slow, rel=1e-12))
            assert (label.volatility is None) == (label.reason is not None)


@dataclass
class Ripe:
    """Gives labels of all ticks of one product, each as soon as it matures."""

    log: MidLog
    waiting: deque[tuple[int, Tick]]
    index: int = 0

    def take(self, event: Event) -> Iterator[tuple[int, Label]]:
        """Take an event; gives the labels that it matures, by the tick's index."""
        self.log.update(event)
        while self.waiting:
            index, row = self.waiting[0]
            label = self.log.label(row.time_us, row.mid)
            if label is None:
                break
            self.waiting.popleft()
            yield index, label
        if isinstance(event, Tick):
            self.waiting.append((self.index, event))
            self.index += 1


def agree(stream: Iterable[Event], product: str, golden_file: Path) -> int:
    """Compare all golden labels of a product; gives how many have a value."""
    ripe = Ripe(MidLog(), deque())
    own = (event for event in stream if event.product_id == product)
    found = {index: label for event in own for index, label in ripe.take(event)}
    valued = 0
    for line in golden_file.read_text().splitlines():
        wanted = json.loads(line)
        label = found.get(wanted["index"])
        expected = wanted["future_volatility_60s"]
        actual = None if label is None else label.volatility
        assert actual == (expected if expected is None else pytest.approx(expected, rel=1e-12))
        valued += expected is not None
    return valued


@pytest.mark.captures
@pytest.mark.parametrize(
    ("capture", "product", "name"),
    [
        ("adv_ticker_btc_20260405T2235_20min", "BTC-USD", "adv_frames_btc"),
        ("adv_flat_btc_20260404T2254_65min", "BTC-USD", "adv_flat_btc_no_sizes"),
        ("adv_flat_btc_eth_20260404T0319_11min", "ETH-USD", "adv_flat_eth"),
    ],
)
@pytest.mark.exhaustive
def test_golden_labels_of_recordings(
    captures: Path, golden: Path, capture: str, product: str, name: str
) -> None:
    """Labels agree with an independent program on real recordings, null for null."""
    stream = events(read_frames(captures / f"{capture}.ndjson.gz"), "f")
    assert agree(stream, product, golden / f"{name}.jsonl") > 10


def exchange_events(path: Path) -> Iterator[Event]:
    """Feed the fields of an Exchange capture by hand: consecutive trade ids bridge silence."""
    last: Tick | None = None
    with gzip.open(path, "rt") as lines:
        for line in lines:
            frame: dict[str, Any] = json.loads(json.loads(line)["raw"])
            if frame["type"] != "ticker":
                continue
            tick = exchange_tick(frame)
            yield from between(last, tick)
            yield tick
            last = tick


def exchange_tick(frame: dict[str, Any]) -> Tick:
    """Return the Tick of an Exchange ticker frame."""
    return Tick(
        feed="f",
        product_id=frame["product_id"],
        dialect="exchange",
        time_us=instant(frame["time"])[0],
        received_us=0,
        price=float(frame["price"]),
        bid=float(frame["best_bid"]),
        ask=float(frame["best_ask"]),
        trade_id=frame["trade_id"],
    )


def between(last: Tick | None, tick: Tick) -> Iterator[Event]:
    """Return the Beats of the silent seconds, or a Break where trades are missing."""
    if last is None or last.trade_id is None or tick.trade_id != last.trade_id + 1:
        yield Break(
            feed="f",
            product_id=tick.product_id,
            dialect="exchange",
            time_us=tick.time_us,
            received_us=0,
            reason="trade_id",
        )
        return
    for second in range(last.time_us // 10**6 + 1, tick.time_us // 10**6):
        yield Beat(
            feed="f",
            product_id=tick.product_id,
            dialect="exchange",
            time_us=second * 10**6 + 999_999,
            received_us=0,
            bid=last.bid,
            ask=last.ask,
        )


@pytest.mark.captures
def test_golden_labels_of_the_exchange(captures: Path, golden: Path) -> None:
    """Labels agree on a capture of the Exchange, across three breaks and bursts."""
    stream = exchange_events(captures / "exch_ticker_btc_202511_4chunks.ndjson.gz")
    assert agree(stream, "BTC-USD", golden / "exch_btc.jsonl") > 10
