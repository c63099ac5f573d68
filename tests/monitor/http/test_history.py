"""The history of the page over HTTP."""

import pytest

from tests.featurizer.market import START, break_at
from tests.monitor.http.test_api import Service, get
from tests.monitor.page.world import course, said
from tests.monitor.world import SECOND


@pytest.fixture
def service() -> Service:
    """A minute of one product, then a hole."""
    service = Service()
    service.lived.take(*course(range(60), "calm"), said(90, after_break=True))
    service.board.broke(break_at(START + 70 * SECOND))
    return service


def test_history_is_columns_of_steps(service: Service) -> None:
    """All of one length, with the holes and their reasons."""
    status, body, kind = get(service, "/signals/history?product=BTC-USD")
    assert (status, kind) == (200, "application/json")
    columns = ("time", "price", "ratio", "score", "severe", "elevated", "spike", "mode")
    assert {len(body[name]) for name in columns} == {61}
    assert [hole["reason"] for hole in body["holes"]] == ["sequence"]


def test_a_stretch_and_a_step_can_be_asked_for(service: Service) -> None:
    """Times as everywhere, steps in seconds."""
    stretch = f"from={START + 10 * SECOND}&to={START + 29 * SECOND}&step=10"
    body = get(service, f"/signals/history?product=BTC-USD&{stretch}")[1]
    assert (body["step"], body["time"]) == (10, [START // SECOND + 10, START // SECOND + 20])


@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [
        ("", 422, "product"),
        ("product=BTC-USD&step=0", 422, "step"),
        ("product=BTC-USD&step=3601", 422, "step"),
        ("product=BTC-USD&from=yesterday", 422, "from"),
        ("product=BTC-USD&colour=blue", 422, "colour"),
    ],
)
def test_a_bad_question_is_named(service: Service, query: str, status: int, parameter: str) -> None:
    """The problem says which parameter it is."""
    found = get(service, f"/signals/history?{query}")
    assert (found[0], found[1]["parameter"]) == (status, parameter)


def test_an_unknown_product_is_404_naming_the_known(service: Service) -> None:
    """As for predictions."""
    status, body, _ = get(service, "/signals/history?product=X")
    assert (status, body["products"]) == (404, ["BTC-USD"])
