"""The published table out of topic ``signals`` alone: what a product's states were worth.

Counts of time are differences between records; starts, verdicts and onsets are records.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from operator import itemgetter
from typing import Final

import numpy as np

from signals.budgets import Load
from signals.events import Change, Onset, Verdict
from signals.leads import LEADS, STANDING
from signals.records import Record
from signals.row import MICROSECONDS, Budget
from signals.state import Level, Past
from signals.table import Counted, EventTable, counted_together, table_of

LEVELS: tuple[Level, Level] = (1, 2)
HOUR_US: Final = 3_600 * MICROSECONDS
KEPT_HOURS: Final = 90 * 24
"""As long as the topic keeps records."""


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


@dataclass(frozen=True, slots=True)
class AllProducts:
    """The figures of all products under one variant, each by a level of its own, counted as one.

    Rates are a covered day of one product; ``elevated_starts_a_day`` and ``spike_starts_a_day``
    are what all of them together come to, which stands against the budget times the products.
    """

    products: tuple[str, ...]
    variant: str
    budget: Budget
    since_us: int
    until_us: int
    elevated: EventTable
    spike: EventTable
    elevated_rule: EventTable
    spike_rule: EventTable
    elevated_starts_a_day: float | None
    spike_starts_a_day: float | None


@dataclass(slots=True)
class _Gathered:
    """What the records of one product and variant tell, of one feed after the other."""

    budget: Budget = field(default_factory=Budget)
    since_us: int = -1
    until_us: int = -1
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
        self.budget, self.until_us = record.budget, record.event.time_us
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


def _together(several: Sequence[_Gathered]) -> _Gathered:
    """Return what stretches of one product and variant tell, in their order."""
    return _Gathered(
        budget=several[-1].budget,
        since_us=min(each.since_us for each in several),
        until_us=several[-1].until_us,
        spans=[span for each in several for span in each.spans],
        starts={level: sum(each.starts[level] for each in several) for level in LEVELS},
        verdicts=[verdict for each in several for verdict in each.verdicts],
        onsets=[onset for each in several for onset in each.onsets],
    )


class TrackRecords:
    """Takes records, those of a product in their order, and tells what they come to.

    Kept is what each hour of event time tells, for ``KEPT_HOURS``. Counting begins with the first
    record of each product, as what was before it is not among them.
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._hours: dict[tuple[str, str], dict[int, _Gathered]] = {}
        self._before: dict[str, Record] = {}
        for record in records:
            self.take(record)

    def take(self, record: Record) -> None:
        """Take the next record."""
        name, hour = record.product_id, _hour(record)
        before = self._before.get(name)
        since = _since(before, record)
        if since is None and before is not None and _hour(before) != hour:
            since = before.state.past
        hours = self._hours.setdefault((name, record.row.variant), {})
        gathered = hours.pop(hour, None) or _Gathered()
        hours[hour] = gathered  # the newest stands last
        gathered.take(record, since)
        if before is None or _hour(before) != hour:
            self._forget(name, hour - KEPT_HOURS)
        self._before[name] = record

    def by_product(self, hours: int = KEPT_HOURS) -> Iterator[TrackRecord]:
        """Return the figures of each product's last so many hours, that under way included."""
        for (name, variant), gathered in self._last(hours).items():
            yield TrackRecord(name, variant, *_figures([gathered]))

    def over_all(self, hours: int = KEPT_HOURS) -> Iterator[AllProducts]:
        """Return the figures of all products, a variant each."""
        by_variant: dict[str, dict[str, _Gathered]] = {}
        for (name, variant), gathered in sorted(self._last(hours).items(), key=itemgetter(0)):
            by_variant.setdefault(variant, {})[name] = gathered
        for variant, of in by_variant.items():
            rates = _starts_a_day(of, 1), _starts_a_day(of, 2)
            yield AllProducts(tuple(of), variant, *_figures([*of.values()]), *rates)

    def _last(self, hours: int) -> dict[tuple[str, str], _Gathered]:
        found = {}
        for (name, variant), kept in self._hours.items():
            after = _hour(self._before[name]) - hours
            if told := [gathered for hour, gathered in kept.items() if hour > after]:
                found[name, variant] = _together(told)
        return found

    def _forget(self, name: str, until: int) -> None:
        for (product, _), kept in self._hours.items():
            for hour in [hour for hour in kept if product == name and hour <= until]:
                del kept[hour]


def _hour(record: Record) -> int:
    return record.event.time_us // HOUR_US


def track_records(records: Iterable[Record]) -> Iterator[TrackRecord]:
    """Return the figures of each product and variant that records in their order tell of."""
    return TrackRecords(records).by_product()


def _starts_a_day(of: Mapping[str, _Gathered], level: Level) -> float | None:
    """Return what the products' rates come to together; null where nothing is covered."""
    loads = [_counted(each, level).load for each in of.values()]
    covered = [load.starts_a_day for load in loads if load.covered]
    return sum(covered) if covered else None


def _since(before: Record | None, record: Record) -> Past | None:
    """Return what a span of a product's records begins with, None where one goes on."""
    if before is None:
        return record.state.past
    if before.feed != record.feed:
        return Past()
    return before.state.past if before.row.variant != record.row.variant else None


_Figures = tuple[Budget, int, int, EventTable, EventTable, EventTable, EventTable]


def _figures(several: Sequence[_Gathered]) -> _Figures:
    """Return the budget of the newest record, the span, the states' tables and the rule's."""
    newest = max(several, key=lambda each: each.until_us)
    levels: Sequence[tuple[Level, int]] = ((1, newest.budget.elevated), (2, newest.budget.spike))
    elevated, spike = (
        table_of(counted_together([_counted(each, level) for each in several]), level, budget)
        for level, budget in levels
    )
    elevated_rule, spike_rule = (
        table_of(counted_together([_of_rule(each, level) for each in several]), level)
        for level in LEVELS
    )
    since_us = min(each.since_us for each in several)
    return newest.budget, since_us, newest.until_us, elevated, spike, elevated_rule, spike_rule


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
