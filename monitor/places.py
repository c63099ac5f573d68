"""Where the waiting predictions stand in their topic, and so how far it is done with."""

from dataclasses import dataclass

from plumbing.kafka import Partition


@dataclass(frozen=True, slots=True)
class Place:
    """Where one prediction was read, the trace it belongs to, and when the broker took it."""

    partition: Partition
    offset: int
    traceparent: str | None
    at_ms: int = 0


class Places:
    """The places of all waiting predictions, in the order of reading."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}
        self._offsets: dict[Partition, dict[int, None]] = {}

    def add(self, prediction_id: str, place: Place) -> None:
        """Remember a prediction that waits."""
        self._places[prediction_id] = place
        self._offsets.setdefault(place.partition, {})[place.offset] = None

    def done(self, prediction_id: str) -> None:
        """Forget one whose outcome is safely published."""
        place = self._places.pop(prediction_id, None)
        if place is not None:
            self._offsets[place.partition].pop(place.offset, None)

    def traceparent(self, prediction_id: str) -> str | None:
        """Return the trace of a waiting prediction."""
        place = self._places.get(prediction_id)
        return place.traceparent if place else None

    def since(self, at_ms: int) -> list[str]:
        """Return the ids of those that the broker took before this time (epoch ms)."""
        return [name for name, place in self._places.items() if place.at_ms < at_ms]

    def position(self, partition: Partition, read: int) -> int:
        """Return the offset of the oldest one waiting, or ``read`` where none waits."""
        return next(iter(self._offsets.get(partition, ())), read)
