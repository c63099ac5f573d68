"""What stands in the topics, counted by content: what is missing, repeated or differs.

Ticks are held against the market they were made from, rows against a computation of their own
from the ticks as they stand, predictions against the rows. Across releases, rows are held against
what each of them computes alike.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from featurizer.engine import FeatureEngine
from featurizer.features import REQUIRED
from featurizer.level.levels import Levels
from featurizer.level.seeds import default_seeds, read_seeds
from featurizer.row import FeatureRow
from featurizer.row import decode as decode_row
from featurizer.row import encode as encode_row
from ingestor.continuity import events
from ingestor.recordings.recording import Frame
from ingestor.tick import Beat, Break, Tick
from ingestor.tick import decode as decode_event
from ingestor.tick import encode as encode_event
from scorer.prediction import decode as decode_prediction
from scorer.prediction import encode as encode_prediction
from scorer.prediction import prediction_id

SHOWN: Final = 5


@dataclass(slots=True)
class Kind:
    """One kind of record: a digest of the content of each id, and what came more than once.

    ``identical`` repeats equal the first record with their id in every byte, also in what is
    not content; ``differing`` are the ids that came with more than one content.
    """

    contents: dict[str, bytes] = field(default_factory=dict)
    differing: set[str] = field(default_factory=set)
    records: int = 0
    identical: int = 0
    _first: dict[str, bytes] = field(default_factory=dict)

    def take(self, name: str, content: bytes, record: bytes) -> None:
        """Count one record, whose content was digested."""
        self.records += 1
        whole = _digest(record)
        if name not in self._first:
            self.contents[name], self._first[name] = content, whole
            return
        self.identical += self._first[name] == whole
        if self.contents[name] != content:
            self.differing.add(name)

    def against(self, expected: Mapping[str, bytes | None]) -> dict[str, Any]:
        """Return how it compares with what should be there, at least once each.

        Without a content that is expected, any will do; some ids are shown of what is wrong.
        """
        known = self.contents.keys() & expected.keys()
        unequal = {i for i in known if expected[i] not in (None, self.contents[i])}
        wrong = {
            "missing": expected.keys() - known,
            "unexpected": self.contents.keys() - known,
            "differing": self.differing | unequal,
        }
        return {
            "expected": len(expected),
            "ids": len(self.contents),
            "records": self.records,
            "repeats": self.records - len(self.contents),
            "identical": self.identical,
            **{fault: len(ids) for fault, ids in wrong.items()},
            "shown": {fault: sorted(ids)[:SHOWN] for fault, ids in wrong.items() if ids},
        }


class Content:
    """Takes the records of the topics in their order, and tells what they hold.

    Without ``market``, its frames, it is not known which ticks should be there. With ``digest``
    every row needs the prediction of that model; without, that of any. ``seeds`` are the
    featurizer's, by default the package's. ``across`` says that a release of before wrote some.
    """

    def __init__(
        self,
        market: Iterable[Frame] | None = None,
        digest: str | None = None,
        seeds: str = "",
        *,
        across: bool = False,
    ) -> None:
        self._ticks, self._beats, self._rows, self._predictions = Kind(), Kind(), Kind(), Kind()
        self._engine = FeatureEngine(Levels(read_seeds(seeds) if seeds else default_seeds()))
        self._across, self._optional = across, set[str]()
        self._expected_rows: dict[str, bytes | None] = {}
        self._plain_rows: dict[tuple[str, int, int], bytes] = {}
        self._row_of: dict[str, str] = {}
        self._market = None if market is None else _contents_of(market)
        self._digest = digest
        self._breaks = 0
        self.unreadable: Counter[str] = Counter()

    def take(self, topic: str, value: bytes) -> None:
        """Take one record of ``ticks``, ``features`` or ``predictions``, or count it as none."""
        try:
            self._take(topic, value)
        except msgspec.DecodeError:
            self.unreadable[topic] += 1

    def _take(self, topic: str, value: bytes) -> None:
        match topic:
            case "ticks":
                self._event(value)
            case "features":
                self._row(value)
            case "predictions":
                self._prediction(value)

    def report(self) -> dict[str, Any]:
        """Tell what was found; ``whole`` says that nothing is missing and nothing differs."""
        kinds = {
            "ticks": self._ticks.against(self._expected(Tick, self._ticks)),
            "beats": self._beats.against(self._expected(Beat, self._beats)),
            "features": self._rows.against(self._wanted()),
            "predictions": self._predicted(),
        }
        return {
            "whole": not any(kind["shown"] for kind in kinds.values()),
            **kinds,
            "breaks": self._breaks,
            "unreadable": dict(self.unreadable),
            "rows_sha256": self.rows_sha256(),
        }

    def rows_sha256(self) -> str:
        """Digest the rows without their feed: equal for two runs with equal rows, to the bit."""
        return hashlib.sha256(b"".join(d for _, d in sorted(self._plain_rows.items()))).hexdigest()

    def _event(self, value: bytes) -> None:
        event = decode_event(value)
        match event:
            case Tick():
                self._ticks.take(*_named(event), value)
            case Beat():
                self._beats.take(*_named(event), value)
            case Break():
                self._breaks += 1
        row = self._engine.update(event)
        if row is None:
            return
        self._expected_rows[row.row_id] = _digest(_alike(row) if self._across else encode_row(row))
        if self._across and row.beat:
            self._optional.add(row.row_id)

    def _wanted(self) -> Mapping[str, bytes | None]:
        """Return the rows that should be there; of before there are none of Beats."""
        absent = self._optional - self._rows.contents.keys()
        return {name: row for name, row in self._expected_rows.items() if name not in absent}

    def _expected(self, kind: type[Tick | Beat], found: Kind) -> Mapping[str, bytes | None]:
        return found.contents if self._market is None else self._market[kind]

    def _row(self, value: bytes) -> None:
        row = decode_row(value)
        self._rows.take(row.row_id, _digest(_alike(row) if self._across else value), value)
        key = (row.product_id, row.time_us, row.trade_id)
        self._plain_rows[key] = _digest(encode_row(replace(row, feed="", row_id="")))

    def _prediction(self, value: bytes) -> None:
        found = decode_prediction(value)
        # When each stage was passed belongs to the attempt, not to what was found.
        notes = [note for note in found.notes if note != "late"]
        timeless = replace(found, received_us=0, featurized_us=0, scored_us=0, notes=notes)
        content = _digest(encode_prediction(timeless))
        self._predictions.take(found.prediction_id, content, value)
        self._row_of[found.prediction_id] = found.row_id

    def _predicted(self) -> dict[str, Any]:
        """Hold the predictions against the rows."""
        rows, found = self._rows.contents, self._predictions
        if self._digest is not None:
            return found.against(dict.fromkeys(prediction_id(row, self._digest) for row in rows))
        expected = [name for name, row in self._row_of.items() if row in rows]
        expected += [f"any of {row}" for row in rows.keys() - set(self._row_of.values())]
        return found.against(dict.fromkeys(expected))


def _alike(row: FeatureRow) -> bytes:
    """Return what every release computes alike: no level, no feature that came later.

    A volatility was unknown until half of its window was known, and is no longer; where every
    second is known it is the same.
    """
    whole = row.coverage == 1.0
    told = [row.features[n] for n in REQUIRED if whole or not n.startswith("realized_volatility")]
    return msgspec.json.encode((row.row_id, row.mid, row.coverage, told))


def _contents_of(market: Iterable[Frame]) -> dict[type[Tick | Beat], dict[str, bytes | None]]:
    """Return what an ingestor makes of the market on one connection; Breaks are not content."""
    found: dict[type[Tick | Beat], dict[str, bytes | None]] = {Tick: {}, Beat: {}}
    for event in events(market, ""):
        if not isinstance(event, Break):
            name, content = _named(event)
            found[type(event)][name] = content
    return found


def _named(event: Tick | Beat) -> tuple[str, bytes]:
    """Return id and digested content of an event, without what belongs to the run."""
    name = f"{event.product_id}:{event.time_us}"
    if isinstance(event, Beat):
        return name, _digest(encode_event(replace(event, feed="", received_us=0)))
    content = encode_event(replace(event, feed="", received_us=0, sequence=None))
    return f"{name}:{event.trade_id or 0}", _digest(content)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
