"""The published table of one product, venue and variant: one code, offline and live.

It is never over two products, whose events are different ones, but for what ``Counted`` adds up:
how often a desk that watches several is called, each by a level of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
import numpy as np

from signals.budgets import DAY, Load, load_of
from signals.leads import LEADS, Leads, chance, leads
from signals.onsets import calm, spells
from signals.poisson import poisson_interval
from signals.probabilities import Probabilities
from signals.row import Thresholds
from signals.rules import FROZEN, Hysteresis
from signals.runs import Runs, elevated_runs, outcomes, spike_runs
from signals.seconds import Flags, Floats, Seconds


class Detected(msgspec.Struct, frozen=True):
    """Onsets at which a run stood for ``lead`` seconds at least, and chance beside it.

    ``chance`` is the share of calm seconds in which one stood so long; shares are null without
    onsets, or without calm seconds.
    """

    lead: int
    onsets: int
    share: float | None
    chance: float | None


class EventTable(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one level, 1 or 2, over all covered seconds together.

    ``detected`` leaves out runs older than 15 minutes, which are ``standing``; each onset is one
    of ``early``, ``at_once``, ``late``, ``missed``, ``standing``. Runs that started at kτ are
    ``already_there`` and in no figure of the others: ``share_right`` is ``right`` of ``right`` and
    ``wrong``, and leads (seconds) are of onsets that met a run of those others, the mean with 0
    for each missed one. ``cut`` and ``open`` runs are not decided. The interval is of 90 %, as if
    starts were Poisson. Null is what has nothing to be a figure of.
    """

    level: int
    covered_days: float
    onsets: int
    detected: tuple[Detected, ...]
    standing: int
    early: int
    at_once: int
    late: int
    missed: int
    share_in_state: float | None
    share_of_calm_in_state: float | None
    budget: int | None
    starts: int
    starts_a_day: float | None
    starts_a_day_interval: tuple[float, float] | None
    already_there: int
    right: int
    wrong: int
    cut: int
    open: int
    share_right: float | None
    median_lead_seconds: float | None
    mean_lead_seconds: float | None


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of one product, venue and variant.

    ``tau`` says what the levels were: captures with a seeded τ are never in the table of a
    trailing one. ``score`` and ``severe`` are the probabilities of both levels.
    """

    product_id: str
    venue: str
    variant: str
    tau: Literal["trailing", "seeded"]
    elevated: EventTable
    spike: EventTable
    score: Probabilities
    severe: Probabilities


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of seconds of a product, a day at best, and the runs of one level in it."""

    seconds: Seconds
    runs: Runs


def parts_of(
    days: Iterable[Seconds], thresholds: Thresholds, rules: Hysteresis = FROZEN
) -> tuple[list[Part], list[Part]]:
    """Return days with the runs of level 1, and with those of level 2, under these θ."""
    elevated, spike = list[Part](), list[Part]()
    for seconds in days:
        spikes = spike_runs(seconds, thresholds.spike, rules)
        elevated.append(Part(seconds, elevated_runs(seconds, thresholds, spikes, rules)))
        spike.append(Part(seconds, spikes))
    return elevated, spike


@dataclass(frozen=True, slots=True)
class Counted:
    """What a table of one level is made of.

    ``load`` has the starts and the time; of the calm seconds, after which an onset may come,
    ``calm`` is how many there are, ``calm_in_state`` in how many of them a run stood, ``stood``
    in how many as long as each of ``LEADS``. ``leads`` has the lead of each onset, NaN where it
    was missed, and ``counts`` says which are ones of the mean; ``outcomes`` are those of the runs.
    """

    load: Load
    calm: int
    calm_in_state: int
    stood: Sequence[int]
    leads: Floats
    counts: Flags
    outcomes: Sequence[str]


def event_table(parts: Sequence[Part], level: int, budget: int | None = None) -> EventTable:
    """Return the figures of a level over stretches of one product.

    ``budget``: starts a day that the θ of these runs was set for, to be stated beside them.
    """
    met = [_met(part, level) for part in parts]
    return table_of(counted_together(met), level, budget)


def table_of(of: Counted, level: int, budget: int | None = None) -> EventTable:
    """Return the figures of what was counted."""
    load, found = of.load, Leads(of.leads, np.full(len(of.leads), -1))
    right, wrong = of.outcomes.count("true"), of.outcomes.count("false")
    kinds = ("standing", "early", "at_once", "late", "missed")
    median, mean = _lead_figures(of.leads[of.counts])
    return EventTable(
        level=level,
        covered_days=load.covered / DAY,
        onsets=len(of.leads),
        detected=tuple(_detected(found, of, at) for at in range(len(LEADS))),
        **{kind: int(getattr(found, f"is_{kind}").sum()) for kind in kinds},
        share_in_state=_share(load.in_state, load.covered),
        share_of_calm_in_state=_share(of.calm_in_state, of.calm),
        budget=budget,
        starts=load.starts,
        starts_a_day=_share(load.starts * DAY, load.covered),
        starts_a_day_interval=_interval(load),
        already_there=of.outcomes.count("already_there"),
        right=right,
        wrong=wrong,
        cut=of.outcomes.count("cut"),
        open=of.outcomes.count("open"),
        share_right=_share(right, right + wrong),
        median_lead_seconds=median,
        mean_lead_seconds=mean,
    )


def rule(seconds: Seconds, level: int) -> Runs:
    """Return the runs of the plain rule: in state where RV60 is at kτ already."""
    return Runs.where(seconds.reached(level))


def always(seconds: Seconds) -> Runs:
    """Return the runs of what is always in state, where it is not blind."""
    return Runs.where(seconds.covered)


def _met(part: Part, level: int) -> Counted:
    seconds, runs = part.seconds, part.runs
    found = leads(spells(seconds, level).onsets, runs)
    said = outcomes(runs, seconds, level)
    others = np.append(said != "already_there", True)  # the last is for -1: missed
    is_calm = calm(seconds, level)
    return Counted(
        load=load_of([(seconds, runs)]),
        calm=int(is_calm.sum()),
        calm_in_state=int((runs.on(seconds) & is_calm).sum()),
        stood=chance(runs, is_calm, LEADS),
        leads=found.seconds,
        counts=others[found.run] & ~found.is_standing,
        outcomes=said.tolist(),
    )


_NONE: Final = (0,) * len(LEADS)


def counted_together(several: Sequence[Counted]) -> Counted:
    """Return what was counted in several stretches, or of several products, as one."""
    loads = [each.load for each in several]
    return Counted(
        load=Load(*(sum(getattr(each, name) for each in loads) for name in Load.__slots__)),
        calm=sum(each.calm for each in several),
        calm_in_state=sum(each.calm_in_state for each in several),
        stood=[sum(column) for column in zip(_NONE, *(e.stood for e in several), strict=True)],
        leads=_joined(each.leads for each in several),
        counts=_joined(each.counts for each in several).astype(np.bool_),
        outcomes=[outcome for each in several for outcome in each.outcomes],
    )


def _detected(found: Leads, of: Counted, at: int) -> Detected:
    stood, lead = found.detected(LEADS[at]), LEADS[at]
    return Detected(lead, stood, _share(stood, len(of.leads)), _share(of.stood[at], of.calm))


def _lead_figures(seconds: Floats) -> tuple[float | None, float | None]:
    """Return the median of the leads that are any, and the mean with 0 where missed."""
    if not len(seconds):
        return None, None
    known = seconds[~np.isnan(seconds)]
    median = float(np.median(known)) if len(known) else None
    return median, float(np.nan_to_num(seconds).mean())


def _interval(load: Load) -> tuple[float, float] | None:
    if not load.covered:
        return None
    low, high = poisson_interval(load.starts)
    return low * DAY / load.covered, high * DAY / load.covered


def _joined(columns: Iterable[Floats | Flags]) -> Floats:
    return np.concatenate([np.zeros(0), *columns])


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
