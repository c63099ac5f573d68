"""Take the pictures of docs/page.md: `python -m tests.monitor.page.shots FOLDER`."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.featurizer.market import START, break_at
from tests.monitor.page.host import hosted
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
}
"""By name: state, theme, and width and height."""


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


def _take(page, mood: str, path: Path) -> None:  # type: ignore[no-untyped-def]
    shown = "spike" if mood == "stale" else mood
    with hosted() as host:
        feed = {"feed": "coinbase"}
        host.take(*course(range(760), "calm", product_id="ETH-USD", **feed))
        host.take(*course(range(500), **feed))
        host.broke(break_at(START + 510 * SECOND, **feed))
        end = 1_100 if shown == "calm" else 760
        host.take(*course(range(540, 700), **feed), *course(range(700, end), shown, **feed))
        page.goto(host.address)
        expect(page.locator("#state .word")).to_have_text(shown)
        expect(page.locator("#record table").first).to_be_visible(timeout=15_000)
        if mood == "stale":
            host.turn(later=40)
            expect(page.locator("#trouble")).to_be_visible()
        page.screenshot(path=path)
        page.close()


if __name__ == "__main__":
    shoot(Path(sys.argv[1]))
