"""Progress bars on stderr, and silence where it is no terminal."""

import sys
from typing import Any, TextIO


class Bars:
    """One bar a step, by tqdm; off where the stream is no terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._bar: Any = None

    def __enter__(self) -> "Bars":
        """Nothing is shown before the first step."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last bar as it is."""
        self._end()

    def begin(self, what: str, total: int, unit: str) -> None:
        """End the bar before and begin another."""
        from tqdm import tqdm  # of the extra `training`

        self._end()
        self._bar = tqdm(
            total=total,
            desc=what,
            unit=unit,
            unit_scale=True,
            file=self._stream,
            disable=not self._stream.isatty(),
            dynamic_ncols=True,
        )

    def advance(self, units: int) -> None:
        """Move the bar on."""
        if self._bar is not None:
            self._bar.update(units)

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
