"""How far a step has come, for whoever shows it."""

from typing import Protocol


class Progress(Protocol):
    """Is told what begins and how far it has come."""

    def begin(self, what: str, total: int, unit: str) -> None:
        """Begin a step of ``total`` units."""

    def advance(self, units: int) -> None:
        """Say that so many more units are done."""


class Quiet:
    """Shows nothing."""

    def begin(self, what: str, total: int, unit: str) -> None:
        """Show nothing."""

    def advance(self, units: int) -> None:
        """Show nothing."""
