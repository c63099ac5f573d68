"""The page as a person meets it: what it shows, says, and does."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ingestor.ledger import UNREACHABLE, FeedEvent, Kind
from ingestor.ledger import encode as encode_line
from ingestor.topics import CONTROL, FEED_EVENTS
from monitor.forecast_record import Said, SaidByAll, Week
from serving.control import KEY, Control
from serving.control import encode as encode_control
from signals.probabilities import Sums
from tests.featurizer.market import START, break_at
from tests.monitor.page.browser.conftest import PHONE
from tests.monitor.page.host import Host, hosted
from tests.monitor.page.world import course, said
from tests.monitor.world import SECOND
from tests.waiting import eventually

Visit = Callable[..., Page]
SIGNS = {"calm": "○", "elevated": "▲", "spike": "◆", "blind": "✕"}


def lived(host: Host, mood: str = "calm", until: int = 200, **more: Any) -> None:
    """Two products of the exchange's feed: one in a mood, one calm."""
    host.take(*course(range(until), "calm", product_id="ETH-USD", feed="coinbase"))
    host.take(*course(range(until), mood, feed="coinbase", **more))


@pytest.mark.parametrize("mood", list(SIGNS))
def test_the_state_stands_in_word_shape_title_and_icon(host: Host, visit: Visit, mood: str) -> None:
    """Never in colour alone."""
    lived(host, mood)
    page = visit(host)
    expect(page.locator("#state .word")).to_have_text(mood)
    expect(page.locator("#state")).to_have_attribute("data-mode", mood)
    expect(page).to_have_title(f"{SIGNS[mood]} {mood} · BTC-USD")
    expect(page.locator("#icon")).to_have_attribute("href", f"page/icon-{mood}.svg")
    expect(page.locator("#products button").first).to_contain_text(f"BTC-USD {mood}")


def test_blind_says_why(host: Host, visit: Visit) -> None:
    """And what will mend it."""
    lived(host, "blind")
    expect(visit(host).locator("#since")).to_contain_text("fewer than 20 returns")


@pytest.mark.parametrize(
    ("feed", "word"),
    [("coinbase", "LIVE"), ("market-7@2026", "GENERATED"), ("btc@2026", "REPLAY")],
)
def test_what_is_not_live_says_so(host: Host, visit: Visit, feed: str, word: str) -> None:
    """In a word of its own and a border of its own."""
    host.take(*course(range(3), feed=feed))
    expect(visit(host).locator("#feed")).to_have_text(word)


def test_a_frame_changes_what_is_shown(host: Host, visit: Visit) -> None:
    """Only a change of state is announced."""
    lived(host)
    page = visit(host)
    expect(page.locator("#state .word")).to_have_text("calm")
    host.take(said(200, feed="coinbase", bid=41_999, ask=42_001))
    host.turn()
    expect(page.locator("#figures")).to_contain_text("42,000.00")
    expect(page.locator("#announce")).to_have_text("")
    host.take(*course(range(201, 205), "spike", feed="coinbase"))
    host.turn()
    expect(page.locator("#announce")).to_have_text("BTC-USD: spike")


def test_a_past_that_is_caught_up_says_so_and_fills_in(host: Host, visit: Visit) -> None:
    """Frames stand minutes apart, and the charts have what lies between once it is over."""
    market: dict[str, Any] = {"feed": "market-7@x", "received_us": START + 3_000 * SECOND}
    host.take(*course(range(2_400), "calm", **market))
    page = visit(host)
    expect(page.locator("#age")).to_have_text("CATCHING UP: 10 min 1 s behind")
    host.take(*course(range(2_400, 2_960), "calm", **market))
    host.turn()
    expect(page.locator("#age")).to_have_text("CATCHING UP: 41 s behind")
    host.take(*course(range(2_960, 3_010), "calm", feed="market-7@x"))
    host.turn()
    expect(page.locator("#age")).to_contain_text("fresh")
    page.locator("#points-details summary").click()
    expect(page.locator("#points-details")).to_contain_text("23:03:00")


def test_old_data_mark_the_whole_page(host: Host, visit: Visit) -> None:
    """The age in seconds and in a word, the title, and the icon."""
    lived(host, "spike")
    page = visit(host)
    expect(page.locator("#age")).to_contain_text("fresh: data 0 s old")
    host.turn(later=40)
    expect(page.locator("body")).to_have_class("stale")
    expect(page.locator("#trouble")).to_contain_text("No new data of BTC-USD for 4")
    expect(page.locator("#age")).to_contain_text("STALE")
    expect(page).to_have_title("? stale · BTC-USD")
    expect(page.locator("#state .word")).to_have_text("blind")
    host.take(said(245, feed="coinbase"))
    host.turn()
    expect(page.locator("body")).not_to_have_class("stale")


def test_a_monitor_that_goes_is_missed_and_met_again(host: Host, visit: Visit) -> None:
    """Silence is said after six seconds; the page comes back by itself."""
    lived(host)
    page = visit(host)
    expect(page.locator("#state .word")).to_have_text("calm")
    host.stop()
    expect(page.locator("#trouble")).to_contain_text("No word from the monitor", timeout=15_000)
    host.again()
    expect(page.locator("#trouble")).to_be_hidden(timeout=30_000)
    assert host.streams == 1


def test_pause_stops_all(host: Host, visit: Visit) -> None:
    """By the button or the key P: no stream, no number that moves; and on again."""
    lived(host)
    page = visit(host)
    expect(page.locator("#state .word")).to_have_text("calm")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#age")).to_contain_text("paused at")
    before = page.locator("main").inner_text()
    host.take(*course(range(200, 210), "spike", feed="coinbase"))
    host.turn()
    host.turn()
    assert page.locator("main").inner_text() == before
    page.keyboard.press("p")
    expect(page.locator("#state .word")).to_have_text("spike")
    assert host.streams == 1


def test_a_hidden_tab_has_no_stream(host: Host, visit: Visit) -> None:
    """One connection while it is seen, none while it is not."""
    lived(host)
    page = visit(host)
    expect(page.locator("#state .word")).to_have_text("calm")
    hide = """hidden => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    deadline = time.monotonic() + 30
    while host.streams and time.monotonic() < deadline:
        host.turn()  # only who is written to is found gone
        page.evaluate("0")
    assert host.streams == 0
    with page.expect_response("**/signals/stream"):
        page.evaluate(hide, False)
    host.take(*course(range(200, 203), "spike", feed="coinbase"))
    host.turn()
    expect(page.locator("#state .word")).to_have_text("spike")


def test_the_keyboard_alone_will_do(host: Host, visit: Visit) -> None:
    """Digits choose a product; in a chart arrows, Home and End move the one cursor."""
    lived(host)
    page = visit(host)
    expect(page.locator("#state .word")).to_have_text("calm")
    page.keyboard.press("2")
    expect(page.locator("#products button").nth(1)).to_have_attribute("aria-current", "true")
    expect(page).to_have_title("○ calm · ETH-USD")
    page.wait_for_function("document.querySelector('#products').dataset.names && true")
    page.locator("#price").focus()
    expect(page.locator("#signals td").first).to_be_visible()
    page.keyboard.press("Home")
    expect(page.locator("#cursor")).to_contain_text("22:13:20")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#cursor")).to_contain_text("22:13:21")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#cursor")).to_contain_text("22:16:38")


def test_single_keys_can_be_turned_off(host: Host, visit: Visit) -> None:
    """For those who speak to their machine; the browser remembers it."""
    lived(host)
    page = visit(host)
    expect(page.locator("#state .word")).to_have_text("calm")
    page.get_by_label("Keys P, 1–9").uncheck()
    page.locator("#price").focus()
    page.keyboard.press("p")
    page.keyboard.press("2")
    expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "false")
    expect(page).to_have_title("○ calm · BTC-USD")
    page.reload()
    expect(page.get_by_label("Keys P, 1–9")).not_to_be_checked()


def test_every_control_is_met_by_tab(host: Host, visit: Visit) -> None:
    """In the order of the page, the link past the bar first."""
    lived(host)
    page = visit(host)
    expect(page.locator("#state .word")).to_have_text("calm")
    met = list[str]()
    for _ in range(40):
        page.keyboard.press("Tab")
        met.append(
            page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")
        )
    wanted = ["Skip to the state", "pause", "theme", "keys", "BTC-USD calm", "price", "strip"]
    assert [each for each in met if each in wanted][: len(wanted)] == wanted


def test_a_hole_has_its_reason(host: Host, visit: Visit) -> None:
    """In the list beside the chart, too."""
    lived(host, until=100)
    host.broke(break_at(START + 110 * SECOND, feed="coinbase"))
    host.take(*course(range(140, 200), feed="coinbase"))
    expect(visit(host).locator("#holes li")).to_contain_text("41 s: sequence")


def test_last_signals_stand_with_their_outcome(host: Host, visit: Visit) -> None:
    """Those that lead to nothing, too; and all of them as CSV."""
    lived(host, until=400)
    host.take(*course(range(400, 460), feed="coinbase", score=0.6, severe=0.5))
    host.take(*course(range(460, 1_000), "calm", feed="coinbase"))
    page = visit(host)
    expect(page.locator("#signals tr").first).to_contain_text("spike (outlook)")
    expect(page.locator("#signals")).to_contain_text("false")
    with page.expect_download() as download:
        page.get_by_role("link", name="as CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0].startswith("product,level,start_us")
    assert lines[1].startswith(f"BTC-USD,spike,{START + 400 * SECOND},")
    assert len(lines) == 3


def test_products_sort_by_any_column(host: Host, visit: Visit) -> None:
    """Up, then down; the heading says which."""
    lived(host, "spike")
    page = visit(host)
    names = page.locator("#all tbody th")
    expect(names).to_have_text(["BTC-USD", "ETH-USD"])
    page.get_by_role("button", name="≥ 1τ").click()
    expect(names).to_have_text(["ETH-USD", "BTC-USD"])
    page.get_by_role("button", name="≥ 1τ").click()
    expect(names).to_have_text(["BTC-USD", "ETH-USD"])
    expect(page.locator("#all th[aria-sort]")).to_have_attribute("aria-sort", "descending")


def test_it_works_behind_a_prefix(visit: Visit) -> None:
    """All addresses are relative: files, stream, history."""
    with hosted("/desk/volatility") as host:
        lived(host)
        page = visit(host)
        expect(page.locator("#state .word")).to_have_text("calm")
        page.get_by_text("The charts as a table").click()
        expect(page.locator("#points tr")).to_have_count(120)


def test_faults_are_offered_in_the_demo_alone(host: Host, visit: Visit) -> None:
    """What the monitor answers to one is said."""
    lived(host)
    page = visit(host)
    expect(page.locator("#service dd").last).to_have_text("ok")
    expect(page.locator("#faults")).to_be_hidden()
    with hosted(faults_url="http://127.0.0.1:9/faults") as demo:
        lived(demo)
        page = visit(demo)
        page.get_by_role("button", name="Delist BTC-USD").click()
        expect(page.locator("#faults-standing")).to_have_text("no answer from the simulator")


def test_a_theme_is_kept(host: Host, visit: Visit) -> None:
    """As the system has it, unless one is chosen."""
    lived(host)
    page = visit(host, color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_label("Theme").select_option("light")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_hours_open_do_not_grow(host: Host, visit: Visit) -> None:
    """An hour of frames leaves the tab with what a quarter of an hour left."""
    lived(host, until=1_000)
    page = visit(host, PHONE)
    expect(page.locator("#state .word")).to_have_text("calm")
    devtools = page.context.new_cdp_session(page)

    def after(seconds: range) -> int:
        for one in course(seconds, "calm", feed="coinbase"):
            host.take(one)
            host.turn()
        expect(page.locator("#service")).to_contain_text(_clock(seconds[-1]), timeout=60_000)
        return used()

    def used() -> int:
        devtools.send("HeapProfiler.collectGarbage")
        return int(devtools.send("Runtime.getHeapUsage")["usedSize"])

    first = after(range(1_000, 1_400))
    last = after(range(1_400, 3_000))
    # What a busy machine has not yet let go of goes with a later collection; what leaks stays.
    eventually(lambda: min(last, used()) < first + 2_000_000, "a heap of before")


def _clock(second: int) -> str:
    seconds = (START // SECOND + second) % 86_400
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def test_the_stages_and_the_brier_score_are_shown(host: Host, visit: Visit) -> None:
    """Of the newest row, and of the last day."""
    sums = Sums()
    sums.add(0.2, True)
    sums.add(0.1, False)
    told = [Said("BTC-USD", "ml", "score", 24, sums.figures())]
    live = host.live
    host.service.around.frames._frame = lambda now_us: live.frame(now_us, told)
    lived(host)
    page = visit(host)
    for text in ("receipt to row", "row to score", "receipt to score90 ms"):
        expect(page.locator("#service")).to_contain_text(text)
    expect(page.get_by_text("said 15 %, came 50 % (2 seconds), Brier 0.325")).to_be_visible()


def test_the_track_record_is_a_product_s_and_that_of_all(host: Host, visit: Visit) -> None:
    """Starts against the budget of each and of both together, with Brier scores beside."""
    sums = Sums()
    sums.add(0.2, True)
    figures = "ml", "score", 168, sums.figures()
    host.service.board.week = Week((Said("BTC-USD", *figures),), (SaidByAll(*figures),))
    lived(host, "spike")
    page = visit(host)
    captions = page.locator("#record caption")
    expect(captions.first).to_have_text("BTC-USD: ml, elevated", timeout=15_000)
    expect(captions).to_have_count(4)
    expect(captions.nth(2)).to_have_text("all 2 products: ml, elevated")
    expect(page.locator("#record table").first).to_contain_text("0.640 (1 seconds)")
    expect(page.locator("#record table").nth(2)).to_contain_text("of all together")
    expect(page.locator("#record table").nth(3)).to_contain_text("of 8")
    page.keyboard.press("2")
    expect(captions.first).to_have_text("ETH-USD: ml, elevated")


def test_how_the_service_fares_is_shown(host: Host, visit: Visit) -> None:
    """Rates, stages beside budgets, the gap ledger, and models with who chose them."""
    line = FeedEvent(kind="reconnected", feed="coinbase", at_us=START, reason="closed")
    host.service.log.append(FEED_EVENTS.name, "", encode_line(line))
    choice = Control(variant="baseline", changed_by="ann", changed_us=START)
    host.service.log.append(CONTROL.name, KEY, encode_control(choice))
    for at in range(60):
        made = said(140 + at, feed="coinbase")
        host.service.stages.take(made, made.scored_us // 1_000 + 30)
    lived(host)
    page = visit(host)
    expect(page.locator("#stages")).to_contain_text("receipt to topic120 ms120 ms100 msOVER")
    expect(page.locator("#stages")).to_contain_text("score to topic30 ms30 ms20 msOVER")
    expect(page.locator("#ledger td").last).to_have_text("connected again: closed")
    expect(page.locator("#promotions tr").first).to_contain_text("serves BTC-USD, ETH-USD")
    expect(page.locator("#promotions")).to_contain_text("baselinechosen by ann")
    expect(page.locator("#drift-state")).to_have_text("unknown yet")
    expect(page.locator("#service")).to_contain_text("1.0 rows a second")


def test_a_feed_that_cannot_be_reached_is_named(host: Host, visit: Visit) -> None:
    """In words, before the first prediction and after the last; and no more once it is there."""

    def told(kind: Kind, reason: str | None) -> None:
        line = FeedEvent(kind=kind, feed="", at_us=START, reason=reason)
        host.service.log.append(FEED_EVENTS.name, "", encode_line(line))

    told("silent", f"{UNREACHABLE}wss://exchange: ConnectionRefusedError")
    page = visit(host)
    trouble = page.locator("#trouble")
    said_so = "cannot be reached since 2023-11-14 22:13:20 (wss://exchange: ConnectionRefusedError)"
    expect(trouble).to_contain_text(f"The feed {said_so}")
    lived(host)
    host.turn()
    expect(trouble).to_be_hidden()
    host.turn(later=40)
    expect(trouble).to_contain_text("No new data of BTC-USD for 4")
    expect(trouble).to_contain_text(said_so)
    told("connected", None)
    expect(trouble).not_to_contain_text("cannot be reached", timeout=30_000)
