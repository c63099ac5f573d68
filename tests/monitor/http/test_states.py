"""States over HTTP: those of now, what happened, and what it was worth."""

from typing import Any

import pytest

from ingestor.topics import SIGNALS
from monitor.forecast_record import Said
from monitor.states.lookup import Query, page_of
from monitor.states.machines import Machines
from signals.probabilities import Sums
from signals.records import encode
from signals.row import Budget
from tests.featurizer.market import START, tick
from tests.monitor.http.test_api import Service, get
from tests.monitor.world import SECOND, TAU, LogReader, predicted

THETA: dict[str, dict[str, float | None]] = {
    level: dict.fromkeys(("2", "4", "8", "16"), 0.5) for level in ("elevated", "spike")
}


@pytest.fixture(scope="module")
def service() -> Service:
    """A product that is calm for ten minutes, in a spike for two, and calm again."""
    service, machines = Service(), Machines(Budget())
    for at in range(1_500):
        wild = 600 <= at < 720
        made = predicted(
            tick(START + at * SECOND, trade_id=at + 1),
            score=0.9 if wild else 0.05,
            severe=0.8 if wild else 0.01,
            thresholds=THETA,
            tau_status="established",
            realized_volatility_60s=(2.5 if wild else 0.3) * TAU,
        )
        for record in machines.take(made, at):
            service.log.append(SIGNALS.name, record.product_id, encode(record))
    service.board.states = machines.standing
    return service


def test_the_state_of_now_says_how_old_its_data_are(service: Service) -> None:
    """Of years ago: blind, silent, whatever the machine says."""
    status, body, _ = get(service, "/signals/now?product=BTC-USD")
    [state] = body["states"]
    assert (status, state["mode"], state["detail"]) == (200, "blind", "silent")
    assert state["tau_status"] == "established" and state["age_seconds"] > 3_600
    [again] = get(service, "/signals/now")[1]["states"]
    assert again | {"age_seconds": 0} == state | {"age_seconds": 0}


def test_records_stand_newest_first_without_the_minutes(service: Service) -> None:
    """Changes, onsets, ends and verdicts, with the row that decided."""
    _, body, _ = get(service, "/signals?product=BTC-USD")
    kinds = [found["event"]["kind"] for found in body["signals"]]
    assert set(kinds) == {"change", "onset", "end", "verdict"}
    times = [found["event"]["time_us"] for found in body["signals"]]
    assert times == sorted(times, reverse=True)
    begun = body["signals"][kinds.index("onset")]
    assert begun["event"]["lead_seconds"] == 0 and begun["row"]["score"] == 0.9


def test_a_span_and_a_limit_are_kept(service: Service) -> None:
    """Both ends are times of the exchange."""
    ends = f"from={START + 590 * SECOND}&to={START + 700 * SECOND}"
    _, body, _ = get(service, f"/signals?product=BTC-USD&{ends}")
    assert {found["event"]["kind"] for found in body["signals"]} == {"change", "onset"}
    assert len(get(service, "/signals?product=BTC-USD&limit=2")[1]["signals"]) == 2


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_pages_give_all_that_happened_once(service: Service, limit: int) -> None:
    """Whatever their size, and however little is read of the topic for each."""
    [*_, whole] = pages(service, 1_000)
    for most in (3, 1_000):
        found = [each for page in pages(service, limit, most) for each in page]
        assert found == whole and len(whole) > 5


def test_a_cursor_belongs_to_its_query(service: Service) -> None:
    """Of another span or product it is refused; another limit may go on with it."""
    path = f"/signals?product=BTC-USD&from={START}&limit=2"
    cursor = get(service, path)[1]["next"]
    assert get(service, f"{path}&cursor={cursor}")[0] == 200
    assert get(service, f"{path[:-1]}3&cursor={cursor}")[0] == 200
    for other in (f"from={START + 1}", f"from={START}&to={START + 900 * SECOND}", "limit=2"):
        status, body, kind = get(service, f"/signals?product=BTC-USD&{other}&cursor={cursor}")
        assert (status, kind, body["parameter"]) == (422, "application/problem+json", "cursor")
        assert "found that of another query, expected the same product, from, to" in body["detail"]


def pages(service: Service, limit: int, most: int = 1_000) -> list[list[Any]]:
    """All pages, from the newest on."""
    reader, cursor, found = LogReader(service.log), None, list[list[Any]]()
    while True:
        page = page_of(reader, Query("BTC-USD", 0, None, limit, most, cursor))
        found.append(page.records)
        cursor = page.next
        if cursor is None:
            return found


def test_the_track_record_has_a_table_a_variant(service: Service) -> None:
    """Starts, onsets with their leads, and the plain rule beside."""
    _, body, _ = get(service, "/signals/record?product=BTC-USD&days=1")
    [found] = body["tables"]
    assert (found["variant"], found["spike"]["starts"], found["spike"]["onsets"]) == ("ml", 1, 1)
    assert found["spike"]["already_there"] == 1 and found["spike_rule"]["starts"] == 1
    assert found["elevated"]["covered_days"] == pytest.approx(1_440 / 86_400, abs=1e-3)
    [of_all] = body["all_products"]["tables"]
    assert of_all["products"] == ["BTC-USD"] and of_all["spike"] == found["spike"]
    assert of_all["spike_starts_a_day"] == found["spike"]["starts_a_day"]


def test_the_track_record_has_what_chances_of_the_last_day_said(service: Service) -> None:
    """By variant and event, PR-AUC beside its prevalence, and of that product alone."""
    sums = Sums()
    for chance, came in ((0.1, False), (0.9, True), (0.8, False), (0.7, True)):
        sums.add(chance, came)
    figures = sums.figures()
    service.board.forecasts = tuple(
        Said(product, "ml", "score", 24, figures) for product in ("BTC-USD", "ETH-USD")
    )
    _, body, _ = get(service, "/signals/record?product=BTC-USD")
    assert [*body["last_day"]] == ["ml"] and [*body["last_day"]["ml"]] == ["score"]
    found = body["last_day"]["ml"]["score"]
    assert (found["n"], found["came"]) == (4, 0.5)
    assert found["pr_auc"] == pytest.approx((1 + 2 / 3) / 2)
    service.board.forecasts = ()
    assert get(service, "/signals/record?product=BTC-USD")[1]["last_day"] == {}


@pytest.mark.parametrize(
    ("path", "status", "named"),
    [
        ("/signals", 422, "product: found none"),
        ("/signals?product=SOL-USD", 404, "expected one with a state: BTC-USD"),
        ("/signals/now?product=SOL-USD", 404, "expected one with a state: BTC-USD"),
        ("/signals/record?product=BTC-USD&days=0", 422, "days: found '0'"),
        ("/signals?product=BTC-USD&limit=x", 422, "limit: found 'x'"),
        ("/signals?product=BTC-USD&cursor=x", 422, "cursor: found 'x'"),
        ("/signals?product=BTC-USD&cursor=0.12", 422, "cursor: found that of another query"),
        ("/signals/now?when=now", 422, "found the parameter 'when'"),
    ],
)
def test_what_cannot_be_answered_is_named(
    service: Service, path: str, status: int, named: str
) -> None:
    """With what was expected."""
    found, body, kind = get(service, path)
    assert (found, kind) == (status, "application/problem+json")
    assert named in body["detail"]


def test_before_the_first_row_there_is_no_state() -> None:
    """Nothing is made up."""
    empty: Any = Service()
    assert get(empty, "/signals/now")[1]["states"] == []
