"""Take the pictures of docs/page.md: `python -m tests.monitor.page.shots FOLDER`."""

import random
import shutil
import sys
from pathlib import Path

from msgspec.structs import replace
from playwright.sync_api import expect, sync_playwright

from ingestor.ledger import FeedEvent, Kind
from ingestor.ledger import encode as encode_line
from ingestor.topics import CONTROL, FEED_EVENTS
from monitor.forecast_record import Event, Said, SaidByAll, Week
from serving.control import KEY, Control
from serving.control import encode as encode_control
from signals.probabilities import Sums
from tests.featurizer.market import START, break_at
from tests.monitor.page.host import Host, hosted
from tests.monitor.page.world import course
from tests.monitor.world import SECOND

DESKTOP, PHONE = (1280, 900), (390, 844)
SHOTS = {
    "calm-light": ("calm", "light", DESKTOP),
    "elevated-dark": ("elevated", "dark", DESKTOP),
    "spike-light": ("spike", "light", DESKTOP),
    "spike-dark-phone": ("spike", "dark", PHONE),
    "blind-light-phone": ("blind", "light", PHONE),
    "stale-light": ("stale", "light", DESKTOP),
    "record-light": ("calm", "light", DESKTOP),
    "service-light": ("calm", "light", DESKTOP),
}
"""By name: state, theme, and width and height."""
LEDGER: tuple[tuple[Kind, str | None], ...] = (
    *(("connected", None), ("silent", "no frame for 15 s"), ("reconnected", "silent")),
)
EVENTS: tuple[Event, ...] = ("score", "severe")
LOWER = {"record-light": "#record-title", "service-light": "#all-title"}
"""Pictures that begin further down the page."""


def shoot(folder: Path) -> None:
    """Take all pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name, (mood, theme, size) in SHOTS.items():
            viewport = {"width": size[0], "height": size[1]}
            page = browser.new_page(viewport=viewport, color_scheme=theme)
            _take(page, mood, folder / f"{name}.png")
        browser.close()


def fares(host: Host) -> None:
    """Let feed and models have something to tell."""
    for at, (kind, reason) in enumerate(LEDGER):
        line = FeedEvent(kind=kind, feed="coinbase", at_us=START + 200 * at * SECOND, reason=reason)
        host.service.log.append(FEED_EVENTS.name, "", encode_line(line))
    choice = Control(variant="ml", changed_by="ann", changed_us=START + 300 * SECOND)
    host.service.log.append(CONTROL.name, KEY, encode_control(choice))
    chance, said_by = random.Random(3), Sums()
    for made in course(range(700, 760), "calm", feed="coinbase"):
        took = chance.randrange(4, 20)
        times = {"featurized_us": made.received_us + 1_000 * took}
        times["scored_us"] = times["featurized_us"] + 500 * chance.randrange(4, 20)
        host.service.stages.take(replace(made, **times), times["scored_us"] // 1_000 + 4)
        said_by.add(0.1, chance.random() < 0.09)
    figures = [(event, 168, said_by.figures()) for event in EVENTS]
    host.service.board.week = Week(
        tuple(Said("BTC-USD", "ml", *each) for each in figures),
        tuple(SaidByAll("ml", *each) for each in figures),
    )


def _take(page, mood: str, path: Path) -> None:  # type: ignore[no-untyped-def]
    shown = "spike" if mood == "stale" else mood
    with hosted() as host:
        feed = {"feed": "coinbase"}
        end = 1_100 if shown == "calm" else 760
        host.take(*course(range(end), "calm", product_id="ETH-USD", **feed))
        host.take(*course(range(500), **feed))
        host.broke(break_at(START + 510 * SECOND, **feed))
        host.take(*course(range(540, 700), **feed), *course(range(700, end), shown, **feed))
        fares(host)
        page.goto(host.address)
        expect(page.locator("#state .word")).to_have_text(shown)
        expect(page.locator("#record table").first).to_be_visible(timeout=15_000)
        expect(page.locator("#stages")).to_contain_text("within", timeout=15_000)
        expect(page.locator("#service dd").last).to_have_text("ok", timeout=15_000)
        if mood == "stale":
            host.turn(later=40)
            expect(page.locator("#trouble")).to_be_visible()
        if path.stem in LOWER:
            page.locator(LOWER[path.stem]).evaluate("e => e.closest('section').scrollIntoView()")
        page.screenshot(path=path)
        page.close()


if __name__ == "__main__":
    shoot(Path(sys.argv[1]))
