"""Dead letters of ``predictions``: one each, though a start reads again what still waits."""

from typing import Final

from ingestor import dead_letter
from ingestor.refusal import refusal
from ingestor.topics import DEAD_LETTERS
from monitor.reading import LogReader, backwards
from plumbing.kafka import Outgoing, PassedOver, Record

LOOKED_THROUGH: Final = 2_000
"""Of so many letters in each partition it is known whether they are ours."""

Place = tuple[str | None, int | None, int | None]


class Letters:
    """Makes them; those that stand in the topic already are looked up once, when it matters."""

    def __init__(self, scanner: LogReader) -> None:
        self._scanner = scanner
        self._posted: set[Place] | None = None

    def letter(self, record: Record, reason: str, now_us: int) -> Outgoing | None:
        """Return the letter of a record, None if there is one; ``now_us`` is the wall clock."""
        if self._posted is None:
            self._posted = self._standing()
        place = (record.topic, record.partition, record.offset)
        if place in self._posted:
            return None
        self._posted.add(place)
        return refusal("monitor", record, reason, now_us)

    def _standing(self) -> set[Place]:
        begins, ends = self._scanner.beginnings(), self._scanner.ends()
        passed, found = PassedOver("monitor, dead letters"), set[Place]()
        for partition in self._scanner.partitions():
            if partition.topic != DEAD_LETTERS.name:
                continue
            end = ends[partition]
            begin = max(begins[partition], end - LOOKED_THROUGH)
            records = backwards(self._scanner, partition, begin, end)
            for _, letter in passed.read(records, dead_letter.decode):
                found.add((letter.topic, letter.partition, letter.offset))
        return found
