"""Advanced Trade's protocol on one connection, without a socket."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ingestor.recordings.recording import Frame
from simulator.exchange import ExchangeSession
from simulator.tape import Tape, TapeItem

START = 1_704_067_200_000_000
PRODUCTS = frozenset(("BTC-USD", "ETH-USD"))


def frame(number: int, channel: str, *products: str, after_us: int = 0) -> Frame:
    """A frame with one ticker or trade for each product."""
    key = {"ticker": "tickers", "market_trades": "trades"}.get(channel)
    items = [{"product_id": product, "n": number} for product in products]
    event = {"type": "update", key: items} if key else {"heartbeat_counter": number}
    whole = {
        "channel": channel,
        "timestamp": f"2024-01-01T00:00:00.{number:09d}Z",
        "sequence_num": number,
        "events": [event],
    }
    return Frame(START + after_us, json.dumps(whole).encode())


class Talk:
    """One client and a tape that is played frame by frame."""

    def __init__(self, *frames: Frame) -> None:
        self.tape = Tape(iter(frames))
        self._rest: Iterator[TapeItem] = iter(self.tape)
        self.session = ExchangeSession(PRODUCTS)

    def say(self, **message: Any) -> list[dict[str, Any]]:
        """Send a message; gives the answers."""
        return self.raw(json.dumps(message))

    def raw(self, text: str | bytes) -> list[dict[str, Any]]:
        """Send any text; gives the answers."""
        return [json.loads(m.data) for m in self.session.receive(text, self.tape.last, START)]

    def subscribe(self, channel: str, *products: str) -> list[dict[str, Any]]:
        """Subscribe; gives the answers."""
        return self.say(type="subscribe", channel=channel, product_ids=list(products))

    def play(self, frames: int = 1_000) -> list[dict[str, Any]]:
        """Let so many frames be published; gives what the client gets of them."""
        got = []
        for _, published in zip(range(frames), self._rest, strict=False):
            self.tape.play(published)
            message = self.session.offer(published)
            if message is not None:
                got.append(json.loads(message.data))
        return got


def market() -> list[Frame]:
    """Both products at the very beginning, then a heartbeat, trades and more tickers."""
    return [
        frame(0, "ticker", "BTC-USD"),
        frame(1, "ticker", "ETH-USD", after_us=40),
        frame(2, "ticker", "BTC-USD", after_us=500_000),
        frame(3, "heartbeats", after_us=600_000),
        frame(4, "market_trades", "BTC-USD", "ETH-USD", after_us=700_000),
        frame(5, "ticker", "ETH-USD", after_us=900_000),
    ]


def test_the_first_snapshot_comes_before_the_ack() -> None:
    """A ticker subscription is answered by a snapshot, number 0, and then the ack, number 1."""
    snapshot, ack = Talk(*market()).subscribe("ticker", "BTC-USD")
    assert (snapshot["channel"], snapshot["sequence_num"]) == ("ticker", 0)
    assert snapshot["events"][0]["type"] == "snapshot"
    assert (ack["channel"], ack["sequence_num"]) == ("subscriptions", 1)
    assert ack["events"] == [{"subscriptions": {"ticker": ["BTC-USD"]}}]
    assert ack["timestamp"] == "2024-01-01T00:00:00.000000000Z"


def test_acks_are_cumulative() -> None:
    """Each ack repeats the whole set, and the last unsubscription leaves it empty."""
    talk = Talk(*market())
    talk.subscribe("ticker", "ETH-USD", "BTC-USD")
    (ack,) = talk.say(type="subscribe", channel="heartbeats")
    assert ack["events"] == [
        {"subscriptions": {"heartbeats": ["heartbeats"], "ticker": ["BTC-USD", "ETH-USD"]}}
    ]
    (ack,) = talk.say(type="unsubscribe", channel="ticker", product_ids=["ETH-USD"])
    assert ack["events"][0]["subscriptions"]["ticker"] == ["BTC-USD"]
    talk.say(type="unsubscribe", channel="heartbeats")
    (ack,) = talk.say(type="unsubscribe", channel="ticker")
    assert ack["events"] == [{"subscriptions": {}}]


def test_numbers_count_all_that_is_sent_and_nothing_else() -> None:
    """Snapshots, acks, heartbeats and tickers share one count; what is not subscribed has none."""
    talk = Talk(*market())
    answers = talk.subscribe("ticker", "BTC-USD") + talk.say(type="subscribe", channel="heartbeats")
    got = answers + talk.play()
    assert [f["sequence_num"] for f in got] == [0, 1, 2, 3, 4]
    assert [f["channel"] for f in got[3:]] == ["ticker", "heartbeats"]


def test_a_snapshot_is_not_repeated_when_the_clock_comes_to_it() -> None:
    """Every frame of the beginning is sent once, as the snapshot."""
    talk = Talk(*market())
    got = talk.subscribe("ticker", "BTC-USD", "ETH-USD") + talk.play()
    tickers = [f["events"][0]["tickers"][0]["n"] for f in got if f["channel"] == "ticker"]
    assert tickers == [0, 1, 2, 5]


def test_a_later_subscription_gets_what_stands_with_its_own_time() -> None:
    """The snapshot of a running feed is the last frame again, unchanged in time."""
    talk = Talk(*market())
    talk.play(3)
    snapshot, _ = talk.subscribe("ticker", "BTC-USD")
    assert snapshot["events"] == [
        {"type": "snapshot", "tickers": [{"product_id": "BTC-USD", "n": 2}]}
    ]
    assert snapshot["timestamp"] == "2024-01-01T00:00:00.000000002Z"


def test_only_subscribed_products_of_a_frame_are_sent() -> None:
    """A frame with several products is cut to those the client wants."""
    talk = Talk(*market())
    talk.subscribe("market_trades", "ETH-USD")
    (trades,) = talk.play()
    assert [t["product_id"] for t in trades["events"][0]["trades"]] == ["ETH-USD"]


def test_a_loss_on_the_tape_is_a_loss_on_the_connection() -> None:
    """A number that is missing on the tape is missing here."""
    talk = Talk(frame(0, "ticker", "BTC-USD"), frame(2, "ticker", "BTC-USD", after_us=1))
    got = talk.subscribe("ticker", "BTC-USD") + talk.play()
    assert [f["sequence_num"] for f in got] == [0, 1, 3]


def test_nothing_comes_after_unsubscribing() -> None:
    """An unsubscribed product is silent, and its frames are not counted."""
    talk = Talk(*market())
    talk.subscribe("ticker", "BTC-USD")
    talk.say(type="unsubscribe", channel="ticker", product_ids=["BTC-USD"])
    assert talk.play() == []


@pytest.mark.parametrize("channel", ["heartbeat", "level9", "matches"])
def test_an_unknown_channel_is_an_authentication_failure(channel: str) -> None:
    """The exchange's answer to a wrong channel, ``heartbeat`` first of all."""
    answer = Talk(*market()).subscribe(channel, "BTC-USD")
    assert answer == [{"type": "error", "message": "authentication failure"}]


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        b"\xff\xfe",
        "[]",
        '{"type":"subscribe"}',
        '{"type":"order","channel":"ticker"}',
        '{"type":"subscribe","channel":"ticker","product_ids":"BTC-USD"}',
        '{"type":"subscribe","channel":"ticker","product_ids":[]}',
    ],
)
def test_a_bad_message_is_answered_by_an_error(text: str | bytes) -> None:
    """Errors have a type and no channel, take no number, and leave the connection usable."""
    talk = Talk(*market())
    (answer,) = talk.raw(text)
    assert answer["type"] == "error" and set(answer) == {"type", "message"}
    assert not talk.session.asked
    assert talk.subscribe("ticker", "BTC-USD")[0]["sequence_num"] == 0


def test_one_unknown_product_rejects_the_whole_subscription() -> None:
    """Nothing of the message is subscribed."""
    talk = Talk(*market())
    (answer,) = talk.subscribe("ticker", "BTC-USD", "NO-SUCH")
    assert "NO-SUCH is not a valid product" in answer["message"]
    assert talk.play() == []


def test_usdc_products_come_back_as_usd() -> None:
    """Frames name the dollar product, as the exchange's do."""
    snapshot, _ = Talk(*market()).subscribe("ticker", "BTC-USDC")
    assert snapshot["events"][0]["tickers"][0]["product_id"] == "BTC-USD"


def test_a_subscription_is_complete_with_ticker_and_heartbeats() -> None:
    """Both are needed before the clock may start at once."""
    talk = Talk(*market())
    talk.subscribe("ticker", "BTC-USD")
    assert not talk.session.complete
    talk.say(type="subscribe", channel="heartbeats")
    assert talk.session.complete


def test_an_empty_tape_is_refused() -> None:
    """There must be something to play."""
    with pytest.raises(ValueError, match="expected at least one"):
        Tape(iter(()))
