"""The summary of a run, from the records that stand in the topics."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from featurizer import row as feature_row
from ingestor import tick
from monitor import outcome
from monitor.states.display import behind
from scorer import prediction
from scorer.prediction import Prediction

STAGES: Final = (
    "received_to_published",
    "received_to_featurized",
    "featurized_to_scored",
    "scored_to_published",
    "tick_to_prediction",
)
"""From the socket into ``ticks``; into a row; into a score; into ``predictions``; all of it."""
PERCENTILES: Final = (50, 95, 99)
ERROR_LEVELS: Final = ("error", "critical")


@dataclass(slots=True)
class Tally:
    """Counts of what was read; records of any topic go in one by one, in any order.

    ``unread`` are records that could not be fetched, ``latencies`` milliseconds by stage, but for
    a past that was caught up, of which each record waited for those before it.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    feeds: set[str] = field(default_factory=set)
    rows: Counter[str] = field(default_factory=Counter)
    predicted: Counter[str] = field(default_factory=Counter)
    last: dict[str, Prediction] = field(default_factory=dict)
    scores: list[float] = field(default_factory=list)
    variants: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    labels: dict[str, str] = field(default_factory=dict)
    outcome_records: int = 0
    dead_letters: int = 0
    unreadable: int = 0
    unread: int = 0
    latencies: dict[str, list[float]] = field(default_factory=lambda: {s: [] for s in STAGES})

    def take(self, topic: str, value: bytes, appended_ms: int) -> None:
        """Count one record; ``appended_ms`` is when the broker appended it."""
        try:
            match topic:
                case "ticks":
                    self._tick(tick.decode(value), appended_ms)
                case "features":
                    self.rows[feature_row.decode(value).row_id] += 1
                case "predictions":
                    self._prediction(prediction.decode(value), appended_ms)
                case "outcomes":
                    self._outcome(outcome.decode(value))
                case "dead-letters":
                    self.dead_letters += 1
        except msgspec.DecodeError:
            self.unreadable += 1

    def _tick(self, event: tick.Event, appended_ms: int) -> None:
        self.kinds[type(event).__name__] += 1
        self.feeds.add(event.feed)
        if isinstance(event, tick.Tick) and not behind(event):
            stage = self.latencies["received_to_published"]
            stage.append(appended_ms - event.received_us / 1e3)

    def _prediction(self, made: Prediction, appended_ms: int) -> None:
        self.predicted[made.row_id] += 1
        if self.predicted[made.row_id] > 1:
            return
        if made.score is not None:
            self.scores.append(made.score)
        self.variants[f"{made.model_variant} {made.version}"] += 1
        self.flags.update(made.flags)
        newest = self.last.get(made.product_id)
        if newest is None or made.time_us >= newest.time_us or made.feed != newest.feed:
            self.last[made.product_id] = made
        if not behind(made):
            self._time(made, appended_ms)

    def _time(self, made: Prediction, appended_ms: int) -> None:
        times = (
            ("received_to_featurized", made.featurized_us - made.received_us),
            ("featurized_to_scored", made.scored_us - made.featurized_us),
            ("scored_to_published", appended_ms * 1e3 - made.scored_us),
            ("tick_to_prediction", appended_ms * 1e3 - made.received_us),
        )
        for stage, microseconds in times:
            self.latencies[stage].append(microseconds / 1e3)

    def _outcome(self, settled: outcome.Outcome) -> None:
        self.outcome_records += 1
        if settled.label is None:
            self.labels[settled.row_id] = settled.reason or "unknown"
        else:
            self.labels[settled.row_id] = "spike" if settled.label else "calm"


def percentiles(values: Sequence[float]) -> dict[str, float] | None:
    """Return the nearest-rank percentiles, None of nothing.

    >>> percentiles([1.0, 2.0, 3.0, 4.0])
    {'p50': 2.0, 'p95': 4.0, 'p99': 4.0}
    """
    if not values:
        return None
    ranked = sorted(values)
    return {f"p{p}": round(ranked[math.ceil(p / 100 * len(ranked)) - 1], 3) for p in PERCENTILES}


def outcomes(tally: Tally) -> dict[str, int]:
    """Count predicted rows by label or reason; whose horizon did not complete is unfinished.

    Outcomes of other rows are an earlier run's, settled late on standing topics.
    """
    found = Counter(label for row, label in tally.labels.items() if row in tally.predicted)
    found["unfinished"] += len(tally.predicted.keys() - tally.labels.keys())
    return {name: found[name] for name in ("spike", "calm", "unfinished")} | dict(
        sorted(found.items())
    )


def count_errors(lines: Iterable[str]) -> int:
    """Count log lines of level error or worse, and tracebacks outside JSON."""
    return sum(map(_is_error, lines))


def _is_error(line: str) -> bool:
    if not line.startswith("{"):
        return line.startswith("Traceback (most recent call last)")
    try:
        return str(json.loads(line).get("level", "")).lower() in ERROR_LEVELS
    except ValueError:
        return False


def trained_on(sha256: str | None, cards: Iterable[Mapping[str, Any]]) -> bool | None:
    """Return whether a recording is among the models' training data; None without a recording."""
    if sha256 is None:
        return None
    return any(
        sha256 in card.get("trained_recordings", ())
        or any(sha256 == part.get("sha256") for part in card.get("data", ()))
        for card in cards
    )


def problems(tally: Tally, missing: Sequence[str]) -> list[str]:
    """Name everything that keeps a run from being ``ok``."""
    found = [f"{name} is not running" for name in missing]
    if not tally.predicted:
        found.append("no predictions")
    if tally.dead_letters:
        found.append(f"{tally.dead_letters} dead letters")
    if tally.unreadable:
        found.append(f"{tally.unreadable} unreadable records")
    if tally.unread:
        found.append(f"{tally.unread} records could not be read back")
    unscored = len(tally.rows.keys() - tally.predicted.keys())
    if unscored:
        found.append(f"{unscored} feature rows without a prediction")
    strangers = len(tally.predicted.keys() - tally.rows.keys())
    if strangers:
        found.append(f"{strangers} predictions without a feature row")
    return found


def summarize(
    tally: Tally, missing: Sequence[str], facts: Mapping[str, Any], troubles: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the one object a run ends with; ``facts`` and ``troubles`` topics do not tell."""
    found = [*troubles, *problems(tally, missing)]
    return {
        "ok": not found,
        "problems": found,
        **facts,
        "feeds": sorted(tally.feeds),
        "ticks": tally.kinds["Tick"],
        "beats": tally.kinds["Beat"],
        "breaks": tally.kinds["Break"],
        "features": len(tally.rows),
        "predictions": len(tally.predicted),
        "outcomes": outcomes(tally),
        "repeated": {
            "features": tally.rows.total() - len(tally.rows),
            "predictions": tally.predicted.total() - len(tally.predicted),
            "outcomes": tally.outcome_records - len(tally.labels),
        },
        "dead_letters": tally.dead_letters,
        "latency_ms": {stage: percentiles(tally.latencies[stage]) for stage in STAGES},
        "variants": dict(tally.variants),
        "flags": dict(tally.flags),
        "score": _scores(tally),
    }


def _scores(tally: Tally) -> dict[str, Any] | None:
    if not tally.scores:
        return None
    last = {product: made.score for product, made in sorted(tally.last.items())}
    return {"min": min(tally.scores), "max": max(tally.scores), "last": last}
