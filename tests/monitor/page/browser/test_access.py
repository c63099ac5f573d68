"""The page for everyone: the rules of axe, a phone's width, no motion."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.featurizer.market import START, break_at
from tests.monitor.page.browser.conftest import DESKTOP, PHONE
from tests.monitor.page.host import Host
from tests.monitor.page.world import course
from tests.monitor.world import SECOND

Visit = Callable[..., Page]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


MOODS = ("calm", "elevated", "spike", "blind", "stale")
LOOKS = {
    **{f"{mood}-light-desktop": (mood, "light", DESKTOP) for mood in MOODS},
    **{f"{mood}-dark-phone": (mood, "dark", PHONE) for mood in MOODS},
    "spike-dark-desktop": ("spike", "dark", DESKTOP),
    "spike-light-phone": ("spike", "light", PHONE),
}


@pytest.mark.parametrize(("mood", "theme", "size"), LOOKS.values(), ids=LOOKS)
def test_axe_finds_nothing(
    host: Host, visit: Visit, mood: str, theme: str, size: tuple[int, int]
) -> None:
    """In every state, both themes and both widths, contrast included."""
    host.take(*course(range(100), feed="coinbase", product_id="ETH-USD"))
    host.take(*course(range(100), feed="coinbase"))
    host.broke(break_at(START + 110 * SECOND, feed="coinbase"))
    host.take(*course(range(130, 200), "spike" if mood == "stale" else mood, feed="coinbase"))
    page = visit(host, size, color_scheme=theme)
    expect(page.locator("#state .word")).to_have_text("spike" if mood == "stale" else mood)
    if mood == "stale":
        host.turn(later=40)
        expect(page.locator("#trouble")).to_be_visible()
    page.get_by_text("The charts as a table").click()
    expect(page.locator("#points tr").first).to_be_visible()
    options = {"runOnly": RULES, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


@pytest.mark.parametrize("width", [320, 390, 768])
def test_a_narrow_screen_needs_no_scrolling_sideways(host: Host, visit: Visit, width: int) -> None:
    """What is wider scrolls by itself."""
    host.take(*course(range(60)))
    page = visit(host, (width, 800))
    expect(page.locator("#state .word")).not_to_have_text("connecting")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_moves_by_itself(host: Host, visit: Visit) -> None:
    """There is no animation and no transition, whether less motion is asked for or not."""
    host.take(*course(range(60)))
    page = visit(host)
    expect(page.locator("#state .word")).not_to_have_text("connecting")
    assert page.evaluate("document.getAnimations().length") == 0


def test_each_chart_is_a_figure_with_a_sentence(host: Host, visit: Visit) -> None:
    """And is named by it."""
    host.take(*course(range(60)))
    page = visit(host)
    charts = page.locator("figure > .chart")
    assert charts.count() == 4
    for at in range(4):
        name = charts.nth(at).get_attribute("aria-labelledby")
        assert len(page.locator(f"figure > #{name}").inner_text()) > 20
