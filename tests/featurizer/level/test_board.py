"""The page of levels."""

import json

from featurizer.level.board import Board
from tests.featurizer.level.world import FIRST, played, quotes, run_of


def test_the_page_says_how_long_a_product_is_blind() -> None:
    """By product; what is another replica's is left out."""
    board, run = Board(), run_of(played(quotes(FIRST, FIRST + 61)))
    board.show(run)
    status, kind, body = board.page("/levels") or (0, "", b"")
    assert (status, kind) == (200, "application/json")
    assert json.loads(body)["P"] == {
        "feed": "f",
        "run_us": run.run_us,
        "tau": None,
        "status": "blind",
        "counted_seconds": 0,
        "wait_seconds": run.wait(),
    }
    board.take_off("P")
    assert board.page("/levels") == (200, "application/json", b"{}")
    board.show(run)
    board.clear()
    assert board.page("/levels") == (200, "application/json", b"{}")
    assert board.page("/other") is None
