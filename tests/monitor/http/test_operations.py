"""The feed and the models over HTTP: stages, rates, the gap ledger, promotions."""

from ingestor.ledger import FeedEvent, encode
from ingestor.topics import CONTROL, FEED_EVENTS
from monitor.http.operations import LINES
from serving import control
from tests.featurizer.market import START
from tests.monitor.http.test_api import Service, get
from tests.monitor.page.world import said


def test_of_nothing_nothing_is_told() -> None:
    """Empty lists, no made-up zero."""
    status, body, _ = get(Service(), "/service")
    assert status == 200
    assert body == {"rates": {}, "stages": [], "ledger": [], "promotions": []}


def test_the_ledger_stands_newest_first_within_bounds() -> None:
    """What cannot be read is passed over."""
    service = Service()
    for at in range(LINES + 20):
        line = FeedEvent(kind="break", feed="f", at_us=START + at, reason="sequence", missing=3)
        service.log.append(FEED_EVENTS.name, "BTC-USD", encode(line))
    service.log.append(FEED_EVENTS.name, "BTC-USD", b"{")
    found = get(service, "/service")[1]["ledger"]
    assert found[0]["at_us"] == START + LINES + 19 and len(found) == LINES - 1
    assert (found[0]["reason"], found[0]["missing"]) == ("sequence", 3)


def test_models_and_choices_stand_together() -> None:
    """A tombstone of ``control`` chooses nothing."""
    service = Service()
    service.lived.take(said(0))
    choice = control.Control(variant="baseline", changed_by="ann", changed_us=START - 1)
    service.log.append(CONTROL.name, control.KEY, control.encode(choice))
    service.log.append(CONTROL.name, control.KEY, b"")
    served, switched = get(service, "/service")[1]["promotions"]
    assert (served["variant"], served["products"]) == ("ml", ["BTC-USD"])
    assert (switched["kind"], switched["by"]) == ("switched", "ann")


def test_stages_and_rates_are_of_the_last_minute() -> None:
    """In the order of the flow."""
    service = Service()
    for second in range(6):
        made = said(second)
        service.stages.take(made, made.scored_us // 1_000 + 7)
    _, body, _ = get(service, "/service")
    assert body["rates"] == {"BTC-USD": 0.1}
    assert body["stages"][-1]["stage"] == "tick_to_prediction"
    assert body["stages"][-1]["p95"] == 0.097
