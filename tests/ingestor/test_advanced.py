"""The Advanced Trade dialect: what each kind of frame is understood as."""

import json

import pytest

from ingestor.advanced import (
    Ack,
    Heartbeat,
    Quote,
    Quotes,
    ServerError,
    Status,
    Trade,
    Trades,
    Unknown,
    parse,
    subscriptions,
)

NOW = 1_788_650_000_000_000  # 2026-09-05
TICKER = (
    '{"channel":"ticker","timestamp":"2026-04-05T22:35:13.92532762Z","sequence_num":0,"events":'
    '[{"type":"snapshot","tickers":[%s]}]}'
)
BTC = (
    '{"type":"ticker","product_id":"BTC-USD","price":"67468.26","volume_24_h":"3057.53218222",'
    '"best_bid":"67468.26","best_ask":"67469.62","best_bid_quantity":"0.00275905",'
    '"best_ask_quantity":"0.17950856"}'
)


def changed(**fields: object) -> str:
    """Return the ticker with some fields changed, or left out where None."""
    ticker = {**json.loads(BTC), **fields}
    return json.dumps({name: value for name, value in ticker.items() if value is not None})


def test_one_channel_a_subscription() -> None:
    """Each channel has a message of its own, and heartbeats no products."""
    assert [json.loads(message) for message in subscriptions(["BTC-USD", "ETH-USD"])] == [
        {"type": "subscribe", "channel": "ticker", "product_ids": ["BTC-USD", "ETH-USD"]},
        {"type": "subscribe", "channel": "heartbeats"},
        {"type": "subscribe", "channel": "market_trades", "product_ids": ["BTC-USD", "ETH-USD"]},
    ]


def test_ticker() -> None:
    """A ticker gives quotes, its time cut to microseconds and its number."""
    message = parse(TICKER % BTC, NOW)
    quote = Quote("BTC-USD", 67468.26, 67468.26, 67469.62, 0.00275905, 0.17950856)
    assert message.content == Quotes((quote,))
    assert (message.time_us, message.sequence) == (1_775_428_513_925_327, 0)
    assert message.problems == ()


def test_several_tickers() -> None:
    """Every ticker of every event counts."""
    frame = json.loads(TICKER % f"{BTC},{changed(product_id='ETH-USD')}")
    frame["events"] *= 2
    content = parse(json.dumps(frame), NOW).content
    assert isinstance(content, Quotes)
    assert [q.product_id for q in content.quotes] == ["BTC-USD", "ETH-USD"] * 2


def test_sizes_are_optional() -> None:
    """A ticker without sizes has a quote with unknown sizes, not zeros."""
    content = parse(TICKER % changed(best_bid_quantity=None, best_ask_quantity=None), NOW).content
    assert isinstance(content, Quotes)
    assert (content.quotes[0].bid_size, content.quotes[0].ask_size) == (None, None)


def test_price_outside_the_quote() -> None:
    """The last price may be sub-cent and outside the quote: that is how the exchange is."""
    message = parse(TICKER % changed(price="67520.905"), NOW)
    assert isinstance(message.content, Quotes)
    assert message.problems == ()


@pytest.mark.parametrize(
    ("timestamp", "time_us"),
    [
        ("2026-04-05T22:35:13Z", 1_775_428_513_000_000),
        ("2026-04-05T22:35:13.9Z", 1_775_428_513_900_000),
        ("2026-04-05T22:35:13.925Z", 1_775_428_513_925_000),
        ("2026-04-05T22:35:13.999999999Z", 1_775_428_513_999_999),
    ],
)
def test_time_digits(timestamp: str, time_us: int) -> None:
    """Times have 0 to 9 digits after the point and are cut, never rounded."""
    frame = json.loads(TICKER % BTC) | {"timestamp": timestamp}
    assert parse(json.dumps(frame), NOW).time_us == time_us


@pytest.mark.parametrize("counter", ["139651", '"139651"'])
def test_heartbeat(counter: str) -> None:
    """The counter may be a number or a string; current_time is Go's format and never read."""
    message = parse(
        '{"channel":"heartbeats","timestamp":"2026-09-05T22:10:30.260465255Z","sequence_num":4,'
        '"events":[{"current_time":"2026-09-05 22:10:30.25788961 +0000 UTC m=+139651.272674714",'
        f'"heartbeat_counter":{counter}}}]}}',
        NOW,
    )
    assert message.content == Heartbeat(139651)


def test_market_trades() -> None:
    """Trades keep the order of the frame; their numbers come as strings."""
    message = parse(
        '{"channel":"market_trades","timestamp":"2026-04-07T14:30:03Z","sequence_num":5,"events":'
        '[{"type":"update","trades":[{"trade_id":"995098701","product_id":"BTC-USD","price":"1",'
        '"size":"0.0015","side":"BUY","time":"2026-04-07T14:30:02.789012Z"},'
        '{"trade_id":"995098700","product_id":"BTC-USD"}]}]}',
        NOW,
    )
    assert message.content == Trades((Trade("BTC-USD", 995098701), Trade("BTC-USD", 995098700)))


def test_ack() -> None:
    """An ack names the full set of subscriptions and has a number of its own."""
    message = parse(
        '{"channel":"subscriptions","timestamp":"2026-04-05T22:35:13.925350911Z","sequence_num":1,'
        '"events":[{"subscriptions":{"ticker":["BTC-USD"],"heartbeats":["heartbeats"]}}]}',
        NOW,
    )
    assert message.content == Ack({"ticker": ("BTC-USD",), "heartbeats": ("heartbeats",)})
    assert message.sequence == 1


def test_server_error() -> None:
    """An error frame has no channel, and is no malformed frame."""
    message = parse('{"type":"error","message":"authentication failure"}', NOW)
    assert message.content == ServerError("authentication failure")
    assert message.problems == ()


def test_unknown_channel_and_fields() -> None:
    """What is unknown is ignored, but its number and time still count."""
    message = parse(
        '{"channel":"l2_data","client_id":"","timestamp":"2026-04-05T22:35:13Z","sequence_num":1,'
        '"events":[{"type":"update","product_id":"BTC-USD","updates":[]}]}',
        NOW,
    )
    assert message.content == Unknown("l2_data")
    assert (message.time_us, message.sequence) == (1_775_428_513_000_000, 1)
    assert message.problems == ()


@pytest.mark.parametrize(
    ("ticker", "reason"),
    [
        (changed(best_bid="nan"), "best_bid nan found, expected a number from"),
        (changed(best_bid="0"), "best_bid 0.0 found, expected a number from"),
        (changed(best_ask="inf"), "best_ask inf found"),
        (changed(price="-1"), "price -1.0 found"),
        (changed(best_ask="67468.25"), "best_ask 67468.25 found, expected at least best_bid"),
        (changed(best_bid_quantity="-1"), "best_bid_quantity -1.0 found"),
        (changed(best_ask=None), "missing required field `best_ask`"),
        (changed(best_bid="x"), "best_bid"),
        (changed(product_id=""), "product_id of 0 characters found"),
        ("7", "Expected `object`, got `int`"),
    ],
)
def test_refused_ticker(ticker: str, reason: str) -> None:
    """A ticker that cannot be true is a problem that says why; its neighbours are kept."""
    message = parse(TICKER % f"{ticker},{BTC}", NOW)
    assert isinstance(message.content, Quotes)
    assert len(message.content.quotes) == 1
    [problem] = message.problems
    assert reason in problem.reason


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"channel":7}',
        b'{"sequence_num":3}',
        b'{"type":"ticker","product_id":"BTC-USD"}',
        b'{"channel":"ticker","events":' + b"[" * 100_000,
    ],
)
def test_malformed_frame(frame: bytes) -> None:
    """A frame that cannot be read is a value with the reason, never an exception."""
    message = parse(frame, NOW)
    assert message.content == Unknown(None)
    assert len(message.problems) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"timestamp": None},
        {"timestamp": "yesterday"},
        {"timestamp": "2026-02-30T00:00:00Z"},
        {"timestamp": "1969-12-31T23:59:59Z"},
        {"events": None},
        {"events": [{"tickers": 5}]},
        {"events": {}},
    ],
)
def test_unusable_ticker_frame(fields: dict[str, object]) -> None:
    """Where time or events cannot be used, the number still counts."""
    message = parse(json.dumps(json.loads(TICKER % BTC) | fields), NOW)
    assert (message.content, message.time_us, message.sequence) == (Unknown("ticker"), None, 0)
    assert message.problems[0].reason.startswith("ticker: ")


def test_time_ahead() -> None:
    """How far a time is ahead of our clock is told; what it means is not known of one frame."""
    time_us = 1_775_428_513_925_327
    assert parse(TICKER % BTC, time_us - 60_000_001).ahead_us == 60_000_001
    assert parse(TICKER % BTC, time_us + 5).ahead_us == -5


@pytest.mark.parametrize("size", ["", None])
def test_an_empty_size_is_unknown(size: str | None) -> None:
    """A side of the book without a size is no reason to refuse its price."""
    content = parse(TICKER % changed(best_bid_quantity=size), NOW).content
    assert isinstance(content, Quotes) and content.quotes[0].bid_size is None


def test_usdc_is_usd() -> None:
    """The exchange answers with the name of the market, whichever was asked for."""
    content = parse(TICKER % changed(product_id="BTC-USDC"), NOW).content
    assert isinstance(content, Quotes) and content.quotes[0].product_id == "BTC-USD"


def test_a_quote_that_holds_a_place_is_refused() -> None:
    """As books show in a halt; nobody would trade within it."""
    message = parse(TICKER % changed(best_bid="0.01", best_ask="1000000"), NOW)
    assert message.content == Quotes(()) and "a halted book" in message.problems[0].reason


def test_status_names_products() -> None:
    """What trades is ``online``; all else is a word of the exchange's own."""
    frame = (
        '{"channel":"status","timestamp":"2026-04-05T22:35:13Z","sequence_num":3,"events":'
        '[{"type":"snapshot","products":[{"id":"BTC-USD","status":"online"},'
        '{"id":"ETH-USDC","status":"cancel_only"}]}]}'
    )
    assert parse(frame, NOW).content == Status({"BTC-USD": "online", "ETH-USD": "cancel_only"})


@pytest.mark.parametrize("number", [-1, 2**63])
def test_a_number_that_counts_nothing_is_a_problem(number: int) -> None:
    """A tick with such a sequence could be read by nobody behind Kafka; the frame is refused."""
    message = parse((TICKER % BTC).replace('_num":0', f'_num":{number}'), NOW)
    assert (message.content, message.sequence) == (Unknown("ticker"), None)
    assert message.problems[0].reason.startswith(f"ticker: sequence_num {number} found")


def test_a_trade_id_that_counts_nothing_is_a_problem() -> None:
    """The trade is left out, the others of its frame stand."""
    frame = (
        '{"channel":"market_trades","timestamp":"2026-04-05T22:35:13Z","events":[{"trades":['
        '{"product_id":"BTC-USD","trade_id":"-4"},{"product_id":"BTC-USD","trade_id":"5"}]}]}'
    )
    message = parse(frame, NOW)
    assert message.content == Trades((Trade("BTC-USD", 5),))
    assert [p.reason for p in message.problems] == [
        "market_trades: trade_id -4 found, expected a number from 0 to 2^63 - 1"
    ]
