"""``/levels``: which level each product has, or how long it will have none."""

import json
from typing import Any, Final

from featurizer.level.run import Run

PATH: Final = "/levels"


class Board:
    """What was shown last of each product, for a thread that answers requests."""

    __slots__ = ("_shown",)

    def __init__(self) -> None:
        self._shown: dict[str, dict[str, Any]] = {}

    def show(self, run: Run) -> None:
        """Take the level of a product; ``wait_seconds`` is event time, at the earliest."""
        shown = {
            "feed": run.feed,
            "run_us": run.run_us,
            "tau": run.level.tau,
            "status": run.level.status,
            "counted_seconds": run.counted,
            "wait_seconds": run.wait(),
        }
        self._shown = {**self._shown, run.product_id: shown}

    def take_off(self, product_id: str) -> None:
        """Leave a product out that is another replica's now."""
        self._shown = {name: shown for name, shown in self._shown.items() if name != product_id}

    def clear(self) -> None:
        """Leave all out."""
        self._shown = {}

    def page(self, path: str) -> tuple[int, str, bytes] | None:
        """Return the answer to a path, None for any other than ``/levels``."""
        if path != PATH:
            return None
        shown = dict(sorted(self._shown.items()))
        return 200, "application/json", json.dumps(shown).encode()
