"""The published table out of topic ``signals`` alone: what a product's states were worth.

Counts of time are differences between records; starts, verdicts and onsets are records.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import nan

import numpy as np

from signals.budgets import Load
from signals.events import Change, Onset, Verdict
from signals.leads import LEADS, STANDING
from signals.records import Record
from signals.row import Budget
from signals.state import Level, Past
from signals.table import Counted, EventTable, table_of

LEVELS: tuple[Level, Level] = (1, 2)


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """The figures of one product under one variant, and those of the plain rule beside it.

    ``budget`` is the one that the last record was made under; ``since_us`` and ``until_us`` are
    epoch microseconds of event time.
    """

    product_id: str
    variant: str
    budget: Budget
    since_us: int
    until_us: int
    elevated: EventTable
    spike: EventTable
    elevated_rule: EventTable
    spike_rule: EventTable


@dataclass(slots=True)
class _Gathered:
    """What the records of one product and variant tell, of one feed after the other."""

    last: Record | None = None
    since_us: int = -1
    spans: list[tuple[Past, Past]] = field(default_factory=list)
    starts: dict[Level, int] = field(default_factory=lambda: dict.fromkeys(LEVELS, 0))
    verdicts: list[Verdict] = field(default_factory=list)
    onsets: list[Onset] = field(default_factory=list)

    def take(self, record: Record, since: Past | None) -> None:
        """Count a record; ``since`` is given where a span begins: what was counted before it."""
        after = record.state.past
        if since is not None:
            self.spans.append((since, after))
        self.spans[-1] = (self.spans[-1][0], after)
        self.last = record
        if self.since_us < 0:
            self.since_us = record.event.time_us
        match record.event:
            case Change(started=started):
                for run in started:
                    self.starts[run.level] += 1
            case Verdict() as verdict:
                self.verdicts.append(verdict)
            case Onset() as onset:
                self.onsets.append(onset)


def track_records(records: Iterable[Record]) -> Iterator[TrackRecord]:
    """Return the figures of each product and variant that records in their order tell of.

    Counting begins with the first record of each, as what was before it is not among them.
    """
    found: dict[tuple[str, str], _Gathered] = {}
    before: dict[str, Record] = {}
    for record in records:
        name, variant = record.product_id, record.row.variant
        gathered = found.setdefault((name, variant), _Gathered())
        gathered.take(record, _since(before.get(name), record))
        before[name] = record
    for (name, variant), gathered in found.items():
        yield _figures(name, variant, gathered)


def _since(before: Record | None, record: Record) -> Past | None:
    """Return what a span of a product's records begins with, None where one goes on."""
    if before is None:
        return record.state.past
    if before.feed != record.feed:
        return Past()
    return before.state.past if before.row.variant != record.row.variant else None


def _figures(name: str, variant: str, gathered: _Gathered) -> TrackRecord:
    assert gathered.last is not None
    budget = gathered.last.budget
    budgets: Sequence[tuple[Level, int]] = ((1, budget.elevated), (2, budget.spike))
    model = [table_of(_counted(gathered, level), level, starts) for level, starts in budgets]
    rule = [table_of(_of_rule(gathered, level), level) for level in LEVELS]
    return TrackRecord(
        name, variant, budget, gathered.since_us, gathered.last.event.time_us, *model, *rule
    )


def _counted(gathered: _Gathered, level: Level) -> Counted:
    time = _Time.of(gathered.spans, level)
    onsets = [onset for onset in gathered.onsets if onset.level == level]
    leads = np.array([nan if o.lead_seconds is None else o.lead_seconds for o in onsets])
    leads = leads.astype(np.float64)
    said = [v.outcome for v in gathered.verdicts if v.run.level == level]
    waiting = max(0, gathered.starts[level] - len(said))
    return Counted(
        load=Load(gathered.starts[level], time.in_state, time.covered),
        calm=time.calm,
        calm_in_state=time.calm_in_state,
        stood=time.stood,
        leads=leads,
        counts=np.array([not o.already_there for o in onsets], np.bool_) & ~(leads > STANDING),
        outcomes=[*said, *["open"] * waiting],
    )


def _of_rule(gathered: _Gathered, level: Level) -> Counted:
    """Return what the plain rule would have: it begins with each crossing, at kτ already."""
    time = _Time.of(gathered.spans, level)
    onsets = sum(onset.level == level for onset in gathered.onsets)
    return Counted(
        load=Load(time.crossings, time.reached, time.covered),
        calm=time.calm,
        calm_in_state=0,
        stood=[0] * len(LEADS),
        leads=np.zeros(onsets),
        counts=np.zeros(onsets, np.bool_),
        outcomes=["already_there"] * time.crossings,
    )


@dataclass(frozen=True, slots=True)
class _Time:
    """Seconds, and crossings, counted in all spans together."""

    covered: int
    reached: int
    crossings: int
    in_state: int
    calm: int
    calm_in_state: int
    stood: list[int]

    @classmethod
    def of(cls, spans: Sequence[tuple[Past, Past]], level: Level) -> "_Time":
        pairs = [(begin.of(level), end.of(level)) for begin, end in spans]
        return cls(
            covered=sum(end.covered - begin.covered for begin, end in spans),
            reached=sum(b.reached - a.reached for a, b in pairs),
            crossings=sum(b.crossings - a.crossings for a, b in pairs),
            in_state=sum(b.in_state - a.in_state for a, b in pairs),
            calm=sum(b.calm - a.calm for a, b in pairs),
            calm_in_state=sum(b.calm_in_state - a.calm_in_state for a, b in pairs),
            stood=[sum(b.stood[at] - a.stood[at] for a, b in pairs) for at in range(len(LEADS))],
        )
