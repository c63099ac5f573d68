"""θ by budget: so many starts a covered day, and no θ above it that has more."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, Literal

from signals.row import Thresholds
from signals.rules import FROZEN, Hysteresis
from signals.runs import Runs, elevated_runs, spike_runs
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


def spike_thresholds(
    parts: Sequence[Seconds], budgets: Iterable[int] = BUDGETS, rules: Hysteresis = FROZEN
) -> Choices:
    """Return θs of each budget; ``parts`` are days or stretches whose starts are added up."""

    def load(theta: float) -> Load:
        return load_of((seconds, spike_runs(seconds, theta, rules)) for seconds in parts)

    return _lowest([theta for theta in GRID if theta >= LOWEST_SPIKE], load, budgets)


def elevated_thresholds(
    parts: Sequence[Seconds],
    theta_spike: float | None,
    budgets: Iterable[int] = BUDGETS,
    rules: Hysteresis = FROZEN,
) -> Choices:
    """Return θe of each budget beside one θs, by which level 1 starts, too."""
    if theta_spike is None:
        return {budget: Choice(None, None, "no_spike_threshold") for budget in budgets}
    spikes = [spike_runs(seconds, theta_spike, rules) for seconds in parts]

    def load(theta: float) -> Load:
        both = Thresholds(theta, theta_spike)
        return load_of(
            (seconds, elevated_runs(seconds, both, runs, rules))
            for seconds, runs in zip(parts, spikes, strict=True)
        )

    return _lowest(GRID, load, budgets)


def thresholds(parts: Sequence[Seconds], rules: Hysteresis = FROZEN) -> dict[str, Choices]:
    """Return θs of every budget, then θe of every budget beside θs of 4 starts a day."""
    spike = spike_thresholds(parts, sorted({*BUDGETS, SPIKE_BUDGET}), rules)
    elevated = elevated_thresholds(parts, spike[SPIKE_BUDGET].theta, rules=rules)
    return {"elevated": elevated, "spike": spike}


def card(choices: Mapping[str, Choices]) -> dict[str, dict[str, float | None]]:
    """Return θ as a card has them, null where a budget is refused."""
    return {
        level: {str(budget): choice.theta for budget, choice in found.items()}
        for level, found in choices.items()
    }


def load_of(parts: Iterable[tuple[Seconds, Runs]]) -> Load:
    """Return the load of runs, over all stretches of seconds together."""
    loads = [
        (len(runs), int(runs.on(seconds).sum()), int(seconds.covered.sum()))
        for seconds, runs in parts
    ]
    starts, in_state, covered = (sum(column) for column in zip((0, 0, 0), *loads, strict=True))
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
