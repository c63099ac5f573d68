"""The page open for minutes at 10 rows a second of two products each: heap and CPU by the minute.

``python -m tests.monitor.page.heap MINUTES``: needs the system's Chromium. The garbage is collected
before each figure, so that what is left is held. CPU is that of the tab's process, in cores, and
that of the browser's drawing process beside it; without a window the system's processor draws.
"""

import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

from playwright.sync_api import CDPSession, Page, sync_playwright

from scorer.prediction import Prediction
from tests.monitor.page.host import Host, hosted
from tests.monitor.page.world import course

PRODUCTS: Final = ("BTC-USD", "ETH-USD")
RATE: Final = 10
WARM_SECONDS: Final = 3_600


def rows(product: str) -> Iterator[Prediction]:
    """A row each tenth of a second, without an end, after an hour by seconds."""
    kind: dict[str, Any] = {"product_id": product, "feed": "coinbase"}
    yield from course(range(WARM_SECONDS), **kind)
    tenths = (n / RATE for n in range(WARM_SECONDS * RATE, 1 << 40))
    yield from course(tenths, **kind)  # type: ignore[arg-type]


def figures(page: Page, session: CDPSession) -> dict[str, float]:
    """Heap in MB, nodes and listeners of the page after a collection."""
    session.send("HeapProfiler.collectGarbage")
    found = {
        each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]
    }
    return {
        "heap_mb": round(found["JSHeapUsedSize"] / 1e6, 2),
        "nodes": found["Nodes"],
        "listeners": found["JSEventListeners"],
    }


def seconds_used(browser: CDPSession) -> dict[str, float]:
    """CPU seconds so far of the browser's processes, by kind: ``renderer`` is the tab's."""
    found: dict[str, float] = {}
    for each in browser.send("SystemInfo.getProcessInfo")["processInfo"]:
        found[each["type"]] = found.get(each["type"], 0.0) + each["cpuTime"]
    return found


def tell(*cells: object) -> None:
    """Write a line at once."""
    sys.stdout.write("\t".join(map(str, cells)) + "\n")
    sys.stdout.flush()


def drive(host: Host, page: Page, session: CDPSession, browser: CDPSession, minutes: int) -> None:
    """Give the page its second each second, and print a line a minute."""
    courses = [rows(product) for product in PRODUCTS]
    for each in courses:
        host.take(*(next(each) for _ in range(WARM_SECONDS)))
    page.goto(host.address)
    began, used = time.monotonic(), seconds_used(browser)
    for second in range(minutes * 60 + 1):
        for each in courses:
            host.take(*(next(each) for _ in range(RATE)))
        host.turn()
        if second % 60 == 0:
            now = seconds_used(browser)
            kinds = ("renderer", "GPU")
            cores = [round((now.get(kind, 0.0) - used.get(kind, 0.0)) / 60, 3) for kind in kinds]
            tell(second // 60, *figures(page, session).values(), *cores)
            used = seconds_used(browser)
        page.wait_for_timeout(max(0.0, began + second + 1 - time.monotonic()) * 1e3)


def main(minutes: int) -> int:
    """Print minutes, MB of heap, nodes, listeners, and cores in use since the line before."""
    path = shutil.which("chromium")
    assert path, "found no chromium on the PATH, expected it: apt-get install chromium"
    with sync_playwright() as playwright, hosted() as host:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        tell("minute", "heap_mb", "nodes", "listeners", "tab_cores", "drawing_cores")
        drive(host, page, session, browser.new_browser_cdp_session(), minutes)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 30))
