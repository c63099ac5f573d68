"""θ by budget: so many starts a covered day, and no θ above it that has more."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, Literal

import numpy as np

from signals.row import Thresholds
from signals.rules import FROZEN, Hysteresis
from signals.runs import ElevatedRuns, Runs, spike_runs
from signals.seconds import Seconds

BUDGETS: Final = (2, 4, 8, 16)
DAY: Final = 86_400
"""Seconds of a covered day: those that are not blind."""
SPIKE_BUDGET: Final = 4
"""The starts of spikes a day that go with every θe."""
GRID: Final = tuple(k / 100 for k in range(100, 0, -1))
"""θ from above; no score is ever at the first ones, so that there are some without a start."""
LOWEST_SPIKE: Final = 0.05
MOST_IN_STATE: Final = 0.35
"""Of the time: what is in state for longer says nothing any more."""

Refusal = Literal["too_many_starts", "always_on", "no_spike_threshold"]


@dataclass(frozen=True, slots=True)
class Load:
    """How often and for how long a level is in state: starts, and seconds of those covered."""

    starts: int
    in_state: int
    covered: int

    @property
    def starts_a_day(self) -> float:
        """Return starts a covered day; NaN where nothing is covered."""
        return self.starts * DAY / self.covered if self.covered else float("nan")

    @property
    def share(self) -> float:
        """Return the share of the covered time in state; NaN where nothing is covered."""
        return self.in_state / self.covered if self.covered else float("nan")

    def within(self, budget: int) -> bool:
        """Say whether there are at most so many starts a covered day."""
        return self.starts * DAY <= budget * self.covered


@dataclass(frozen=True, slots=True)
class Choice:
    """The θ of a budget with its load; or None, and why it is refused.

    ``too_many_starts``: the highest θ has more. ``always_on``: in state for more than 35 % of the
    time; ``load`` says how long. ``no_spike_threshold``: of level 1, which needs that of level 2.
    """

    theta: float | None
    load: Load | None
    refused: Refusal | None = None


Choices = dict[int, Choice]


class LoadsOf:
    """The loads of one day or stretch under each θ, found once and kept."""

    def __init__(self, seconds: Seconds, rules: Hysteresis = FROZEN) -> None:
        """Find none yet; ``rules`` say what ends a run."""
        self._seconds, self._rules = seconds, rules
        self._covered = np.concatenate(([0], np.cumsum(seconds.covered)))
        self._spikes: dict[float, Runs] = {}
        self._beside: dict[float, ElevatedRuns] = {}
        self._loads: dict[float | Thresholds, Load] = {}

    def spike(self, theta: float) -> Load:
        """Return the load of level 2 under a θs."""
        return self._kept(theta, lambda: self._spike_runs(theta))

    def elevated(self, both: Thresholds) -> Load:
        """Return the load of level 1, which a spike from calm starts, too."""
        return self._kept(both, lambda: self._beside_spikes(both.spike).under(both.elevated))

    def _spike_runs(self, theta: float) -> Runs:
        if theta not in self._spikes:
            self._spikes[theta] = spike_runs(self._seconds, theta, self._rules)
        return self._spikes[theta]

    def _beside_spikes(self, theta: float) -> ElevatedRuns:
        if theta not in self._beside:
            spikes = self._spike_runs(theta)
            self._beside[theta] = ElevatedRuns(self._seconds, theta, spikes, self._rules)
        return self._beside[theta]

    def _kept(self, under: float | Thresholds, find: Callable[[], Runs]) -> Load:
        if under not in self._loads:
            self._loads[under] = self._load(find())
        return self._loads[under]

    def _load(self, runs: Runs) -> Load:
        """Return what ``load_of`` gives, at no cost a second: runs of a level never overlap."""
        in_state = (self._covered[runs.end] - self._covered[runs.start]).sum()
        return Load(len(runs), int(in_state), int(self._covered[-1]))


def spike_thresholds(days: Sequence[LoadsOf], budgets: Iterable[int] = BUDGETS) -> Choices:
    """Return θs of each budget; the starts of all days or stretches are added up."""

    def load(theta: float) -> Load:
        return together(day.spike(theta) for day in days)

    return _lowest([theta for theta in GRID if theta >= LOWEST_SPIKE], load, budgets)


def elevated_thresholds(
    days: Sequence[LoadsOf], theta_spike: float | None, budgets: Iterable[int] = BUDGETS
) -> Choices:
    """Return θe of each budget beside one θs, by which level 1 starts, too."""
    if theta_spike is None:
        return {budget: Choice(None, None, "no_spike_threshold") for budget in budgets}

    def load(theta: float) -> Load:
        return together(day.elevated(Thresholds(theta, theta_spike)) for day in days)

    return _lowest(GRID, load, budgets)


def thresholds(parts: Sequence[Seconds], rules: Hysteresis = FROZEN) -> dict[str, Choices]:
    """Return θs of every budget, then θe of every budget beside θs of 4 starts a day."""
    return _both([LoadsOf(seconds, rules) for seconds in parts])


def thresholds_of_others(
    parts: Sequence[Seconds], rules: Hysteresis = FROZEN
) -> Iterator[dict[str, Choices]]:
    """Return for each part the θ that all others together give: each is left out in turn."""
    days = [LoadsOf(seconds, rules) for seconds in parts]
    for at in range(len(days)):
        yield _both(days[:at] + days[at + 1 :])


def _both(days: Sequence[LoadsOf]) -> dict[str, Choices]:
    spike = spike_thresholds(days, sorted({*BUDGETS, SPIKE_BUDGET}))
    elevated = elevated_thresholds(days, spike[SPIKE_BUDGET].theta)
    return {"elevated": elevated, "spike": spike}


def card(choices: Mapping[str, Choices]) -> dict[str, dict[str, float | None]]:
    """Return θ as a card has them, null where a budget is refused."""
    return {
        level: {str(budget): choice.theta for budget, choice in found.items()}
        for level, found in choices.items()
    }


def load_of(parts: Iterable[tuple[Seconds, Runs]]) -> Load:
    """Return the load of runs, over all stretches of seconds together."""
    return together(
        Load(len(runs), int(runs.on(seconds).sum()), int(seconds.covered.sum()))
        for seconds, runs in parts
    )


def together(loads: Iterable[Load]) -> Load:
    """Return several loads as one."""
    counts = [(load.starts, load.in_state, load.covered) for load in loads]
    starts, in_state, covered = (sum(column) for column in zip((0, 0, 0), *counts, strict=True))
    return Load(starts, in_state, covered)


def _lowest(
    grid: Sequence[float], load: Callable[[float], Load], budgets: Iterable[int]
) -> Choices:
    """Return of each budget the lowest θ such that it and every higher one is within it.

    Goes down from the highest, and no further than the largest budget allows.
    """
    wanted, loads = sorted(budgets), list[tuple[float, Load]]()
    for theta in grid:
        loads.append((theta, load(theta)))
        if not loads[-1][1].within(wanted[-1]):
            break
    return {budget: _choice(loads, budget) for budget in wanted}


def _choice(loads: Sequence[tuple[float, Load]], budget: int) -> Choice:
    within = list(takewhile(lambda found: found[1].within(budget), loads))
    if not within:
        return Choice(None, loads[0][1], "too_many_starts")
    theta, load = within[-1]
    if load.share > MOST_IN_STATE:
        return Choice(None, load, "always_on")
    return Choice(theta, load)
