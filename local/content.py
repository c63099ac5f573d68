"""What stands in the topics, counted by content: what is missing, repeated or differs.

Ticks are held against the market they were made from, rows against a computation of their own
from the ticks as they stand, predictions against the rows.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from featurizer.features import FeatureEngine, FeatureRow
from featurizer.features import decode as decode_row
from featurizer.features import encode as encode_row
from ingestor.continuity import events
from ingestor.recording import Frame
from ingestor.tick import Tick
from ingestor.tick import decode as decode_event
from ingestor.tick import encode as encode_event
from scorer.prediction import decode as decode_prediction
from scorer.prediction import encode as encode_prediction


@dataclass(slots=True)
class Kind:
    """One kind of record: the content of each id, and what is not as it should be.

    ``differing`` counts records whose content is another than that of the first with their id,
    or than it should be.
    """

    contents: dict[str, bytes] = field(default_factory=dict)
    records: int = 0
    repeats: int = 0
    differing: int = 0

    def take(self, name: str, content: bytes) -> None:
        """Count one record."""
        self.records += 1
        if name not in self.contents:
            self.contents[name] = content
            return
        self.repeats += 1
        self.differing += self.contents[name] != content

    def against(self, expected: Mapping[str, bytes]) -> dict[str, int]:
        """Say how it compares with what should be there, at least once each."""
        known = self.contents.keys() & expected.keys()
        return {
            "records": self.records,
            "ids": len(self.contents),
            "repeats": self.repeats,
            "differing": self.differing + sum(self.contents[i] != expected[i] for i in known),
            "expected": len(expected),
            "missing": len(expected.keys() - known),
            "unexpected": len(self.contents.keys() - known),
        }


class Content:
    """Takes the records of the topics in their order, and tells what they hold.

    Without ``market``, its frames, it is not known which ticks should be there.
    """

    def __init__(self, market: Iterable[Frame] | None = None) -> None:
        self._ticks, self._rows, self._predictions = Kind(), Kind(), Kind()
        self._engine = FeatureEngine()
        self._expected_rows: dict[str, bytes] = {}
        self._market = None if market is None else dict(map(_tick, _ticks_of(market)))
        self._others = 0
        self._breaks = 0

    def take(self, topic: str, value: bytes) -> None:
        """Take one record of ``ticks``, ``features`` or ``predictions``."""
        match topic:
            case "ticks":
                self._event(value)
            case "features":
                row = decode_row(value)
                self._rows.take(row.row_id, value)
            case "predictions":
                self._prediction(value)

    def report(self) -> dict[str, Any]:
        """Tell what was found; ``whole`` says that nothing is missing and nothing differs."""
        ticks = self._ticks.contents if self._market is None else self._market
        predicted = dict.fromkeys(self._rows.contents, b"")
        kinds = {
            "ticks": self._ticks.against(ticks),
            "features": self._rows.against(self._expected_rows),
            "predictions": self._predicted(predicted),
        }
        faults = ("missing", "differing", "unexpected")
        return {
            "whole": not any(kind[fault] for kind in kinds.values() for fault in faults),
            **kinds,
            "beats_and_breaks": self._others,
            "breaks": self._breaks,
            "rows_sha256": self.rows_sha256(),
        }

    def rows_sha256(self) -> str:
        """Digest the rows without their feed: equal for two runs with equal rows, to the bit."""
        digest = hashlib.sha256()
        rows = map(decode_row, self._rows.contents.values())
        for row in sorted(rows, key=lambda row: (row.product_id, row.time_us, row.trade_id)):
            digest.update(encode_row(_anonymous(row)) + b"\n")
        return digest.hexdigest()

    def _event(self, value: bytes) -> None:
        event = decode_event(value)
        if isinstance(event, Tick):
            self._ticks.take(*_tick(event))
        else:
            self._others += 1
            self._breaks += type(event).__name__ == "Break"
        row = self._engine.update(event)
        if row is not None:
            self._expected_rows[row.row_id] = encode_row(row)

    def _prediction(self, value: bytes) -> None:
        found = decode_prediction(value)
        # When each stage was passed belongs to the attempt, not to what was found.
        timeless = replace(found, received_us=0, featurized_us=0, scored_us=0)
        self._predictions.take(found.prediction_id, encode_prediction(timeless))

    def _predicted(self, rows: Mapping[str, bytes]) -> dict[str, int]:
        """Compare by row: a row scored by two models has two predictions, and needs one."""
        found = {decode_prediction(each).row_id for each in self._predictions.contents.values()}
        counts = self._predictions.against(self._predictions.contents)
        return counts | {
            "expected": len(rows),
            "missing": len(rows.keys() - found),
            "unexpected": len(found - rows.keys()),
        }


def _tick(tick: Tick) -> tuple[str, bytes]:
    """Give id and content of a tick, without what belongs to the run and the connection."""
    name = f"{tick.product_id}:{tick.time_us}:{tick.trade_id or 0}"
    return name, encode_event(replace(tick, feed="", received_us=0, sequence=None))


def _ticks_of(frames: Iterable[Frame]) -> Iterable[Tick]:
    return (event for event in events(frames, "") if isinstance(event, Tick))


def _anonymous(row: FeatureRow) -> FeatureRow:
    return replace(row, feed="", row_id="")
