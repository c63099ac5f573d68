"""Asked, granted, flowing; the words for a product, and what is asked for again."""

import itertools
import json

from ingestor.advanced import CHANNELS, STATUS, parse
from ingestor.subscription import Subscriptions
from tests.ingestor.wire import BTC, ETH, Wire

SECOND = 1_000_000
UNSUBSCRIBED = {"subscriptions": {"market_trades": [BTC], "heartbeats": ["heartbeats"]}}
SUBSCRIBED = {"subscriptions": UNSUBSCRIBED["subscriptions"] | {"ticker": [BTC]}}


class Talk:
    """A connection seen from our side: frames in, requests out, seconds of our clock."""

    def __init__(self, *products: str, channels: tuple[str, ...] = CHANNELS) -> None:
        self.wire, self.seconds = Wire(), 0.0
        self.subscriptions = Subscriptions(products or (BTC,), channels)
        self.subscriptions.opened(0)

    def hear(self, frame: bytes | str, stalled: tuple[str, ...] = ()) -> list[str]:
        now = int(self.seconds * SECOND)
        return self.subscriptions.take(parse(frame, now), now, stalled)

    def ack(self, **channels: list[str]) -> None:
        self.hear(self.wire.frame("subscriptions", self.seconds, {"subscriptions": channels}))

    def refuse(self, text: str) -> None:
        self.hear(json.dumps({"type": "error", "message": text}))

    def asked(self, seconds: float) -> list[tuple[str, str, list[str]]]:
        """What is asked for at this second: type, channel, products."""
        self.seconds = seconds
        sent = map(json.loads, self.subscriptions.due(int(seconds * SECOND)))
        return [(s["type"], s["channel"], s.get("product_ids", [])) for s in sent]

    def state(self, product: str = BTC) -> str:
        return self.subscriptions.state_of(product, int(self.seconds * SECOND)).state

    def all_granted(self, *products: str) -> None:
        named = list(products or (BTC,))
        self.ack(ticker=named, market_trades=named, heartbeats=["heartbeats"])


def test_what_is_granted_is_asked_for_no_more() -> None:
    """Quiet until the ticker comes, then flowing, and quiet again after a minute."""
    talk = Talk()
    assert talk.state() == "asked"
    talk.all_granted()
    assert (talk.state(), talk.asked(60)) == ("quiet", [])
    talk.hear(talk.wire.ticker(60))
    assert talk.state() == "flowing"
    assert (talk.asked(121), talk.state()) == ([], "quiet")


def test_an_error_is_asked_again_with_growing_delays() -> None:
    """It names no channel: what is not granted is asked for one by one, each alone."""
    talk = Talk(channels=("ticker", "heartbeats"))
    talk.ack(heartbeats=["heartbeats"])
    talk.refuse("rate limit exceeded")
    assert talk.state() == "refused"
    assert talk.asked(0.5) == []
    assert talk.asked(1) == [("subscribe", "ticker", [BTC])]
    talk.refuse("rate limit exceeded")
    assert talk.asked(2) == [] and talk.asked(3) == [("subscribe", "ticker", [BTC])]
    talk.refuse("rate limit exceeded")
    assert talk.asked(6) == [] and talk.asked(7) != []
    talk.hear(talk.wire.ticker(8))
    assert talk.state() == "flowing" and talk.asked(1_000) == []


def test_what_is_missing_in_the_acknowledgement_is_asked_for() -> None:
    """One product is granted and flows meanwhile; the other is asked for alone."""
    talk = Talk(BTC, ETH, channels=("ticker",))
    talk.ack(ticker=[BTC])
    talk.hear(talk.wire.ticker(0.1))
    assert talk.asked(4) == []
    assert talk.asked(5) == [("subscribe", "ticker", [ETH])]
    assert (talk.state(), talk.state(ETH)) == ("flowing", "refused")
    talk.ack(ticker=[BTC, ETH])
    assert talk.state(ETH) == "quiet" and talk.asked(100) == []


def test_no_answer_at_all_is_a_refusal() -> None:
    """After five seconds, and one request at a time."""
    talk = Talk(BTC, ETH, channels=("ticker",))
    assert talk.asked(5) == [("subscribe", "ticker", [BTC])]
    assert talk.asked(6) == []
    assert talk.asked(10) == [("subscribe", "ticker", [ETH])]
    assert talk.state() == "refused"


def test_a_grant_that_is_withdrawn_is_asked_for() -> None:
    """Later acknowledgements name all that stands, too."""
    talk = Talk(channels=("ticker",))
    talk.ack(ticker=[BTC])
    talk.seconds = 50
    talk.ack(ticker=[])
    assert talk.state() == "refused" and talk.asked(51) == [("subscribe", "ticker", [BTC])]


def test_a_product_that_the_exchange_does_not_know_is_left_out() -> None:
    """One bad name refuses the whole request; alone it is named, and the others flow."""
    talk = Talk(BTC, "NO-SUCH", channels=("ticker",))
    talk.refuse("failed to subscribe")
    assert talk.asked(1) == [("subscribe", "ticker", [BTC])]
    talk.ack(ticker=[BTC])
    assert talk.asked(2) == [("subscribe", "ticker", ["NO-SUCH"])]
    talk.refuse("failed to subscribe: NO-SUCH is not a valid product")
    assert talk.state("NO-SUCH") == "unknown" and talk.state() == "quiet"
    assert talk.asked(10_000) == []


def test_a_named_product_is_unknown_at_once() -> None:
    """Where the first error says which, nobody asks for it again."""
    talk = Talk(BTC, "NO-SUCH", channels=("ticker",))
    talk.refuse("failed to subscribe: NO-SUCH is not a valid product")
    assert talk.state("NO-SUCH") == "unknown" and talk.state() == "refused"


def test_a_stalled_ticker_is_ended_and_asked_for_again() -> None:
    """The exchange holds it to be subscribed; the product is stalled until the ticker comes."""
    talk = Talk(BTC, ETH)
    talk.all_granted(BTC, ETH)
    talk.seconds = 10
    talk.hear(talk.wire.trades(10, 5), stalled=(BTC,))
    assert talk.state() == "stalled" and talk.state(ETH) == "quiet"
    again = [("unsubscribe", "ticker", [BTC]), ("subscribe", "ticker", [BTC])]
    assert talk.asked(11) == again
    assert talk.asked(12) == [] and talk.asked(13) == again
    talk.hear(talk.wire.ticker(14))
    assert talk.state() == "flowing" and talk.asked(100) == []


def test_a_halt_is_told_once_and_so_is_its_end() -> None:
    """``status`` says why nobody trades."""
    talk = Talk(channels=(*CHANNELS, STATUS))

    def status(word: str) -> bytes:
        return talk.wire.frame("status", 1, {"products": [{"id": BTC, "status": word}]})

    assert talk.hear(status("online")) == []
    assert talk.hear(status("cancel_only")) == [BTC] and talk.state() == "halted"
    assert talk.hear(status("limit_only")) == [] and talk.subscriptions.halt_of(BTC) is not None
    assert talk.hear(status("online")) == [BTC] and talk.state() != "halted"


def test_names_are_those_of_the_exchange() -> None:
    """Asked for as USDC, granted and answered as USD."""
    talk = Talk("BTC-USDC", channels=("ticker",))
    assert talk.asked(5) == [("subscribe", "ticker", ["BTC-USDC"])]
    talk.ack(ticker=["BTC-USD"])
    talk.hear(talk.wire.ticker(6))
    assert talk.state("BTC-USDC") == talk.state("BTC-USD") == "flowing"
    assert list(talk.subscriptions.shown(7 * SECOND)) == ["BTC-USD"]


def test_all_is_shown() -> None:
    """By product: its state, the age of its ticker, and each channel."""
    talk = Talk()
    talk.ack(ticker=[BTC])
    talk.hear(talk.wire.ticker(1))
    shown = talk.subscriptions.shown(3 * SECOND)[BTC]
    assert (shown["state"], shown["ticker_age_seconds"]) == ("flowing", 3.0)
    assert (
        shown["channels"]["ticker"]["granted"] and not shown["channels"]["market_trades"]["granted"]
    )


def test_no_answer_is_asked_for_ever_more_rarely() -> None:
    """An exchange that never answers is not asked each five seconds for ever."""
    talk = Talk(channels=("ticker",))
    asked = [second for second in range(2_000) if talk.asked(second)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert gaps == sorted(gaps) and gaps[0] == 5 and gaps[-1] == 300


def test_a_stall_that_is_granted_again_and_again_is_asked_for_ever_more_rarely() -> None:
    """Acknowledgements come, the ticker does not: only what flows begins the delays anew."""
    talk = Talk()
    talk.all_granted()
    asked: list[int] = []
    for second in range(10, 700):
        talk.seconds = second
        talk.hear(talk.wire.trades(second, second), stalled=(BTC,))
        if talk.asked(second):
            asked.append(second)
            # First of the unsubscription, then of what was asked for again.
            talk.hear(talk.wire.frame("subscriptions", second, UNSUBSCRIBED), stalled=(BTC,))
            talk.hear(talk.wire.frame("subscriptions", second, SUBSCRIBED), stalled=(BTC,))
        assert talk.state() == "stalled"
    gaps = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert gaps == sorted(gaps) and gaps[:3] == [2, 4, 8]
