"""All protocols over all candidates, and what they say: the evidence behind the choice."""

from collections.abc import Mapping
from dataclasses import dataclass

from training.data.dataset import Dataset, Say
from training.data.parallel import HERE, Place
from training.data.splits import INSIDE
from training.data.thresholds import Flags
from training.errors import FitError
from training.evaluation.measures import Judged
from training.evaluation.protocols import (
    HONEST,
    OWN_TAU,
    PUBLISHED,
    Judgements,
    Key,
    judge,
    judge_as_published,
)
from training.evaluation.regimes import regimes_of
from training.evaluation.selection import Choice, Evidence, choose, chosen_methods
from training.models.calibration import Method
from training.models.candidates import BASELINE, CANDIDATES, RULE_NAME
from training.models.problem import Problem


@dataclass(frozen=True, slots=True)
class Judging:
    """What one protocol gave: each row's truth in it, and the judgements by candidate."""

    spikes: Flags
    judged: Judgements

    def of(self, key: Key) -> Judged | None:
        """Return a candidate's judgement; of another calibration where this one has none."""
        return self.judged.get(key) or self.judged.get((key[0], "none"))


@dataclass(frozen=True, slots=True)
class Study:
    """Everything judged; ``evidence`` has the honest rows that the choice was made on.

    ``rests_on`` names the protocol they come from; ``parts`` names parts of all rows: captures by
    file, then regimes of volatility.
    """

    problem: Problem
    judgings: Mapping[str, Judging]
    parts: Mapping[str, Flags]
    evidence: Evidence
    methods: Mapping[str, Method]
    choice: Choice
    rests_on: str

    @property
    def honest(self) -> Judging:
        """The judging that the choice rests on."""
        return self.judgings[self.rests_on]

    def key_of(self, name: str) -> Key:
        """Return a candidate with its calibration."""
        return name, self.methods[name]


def study(dataset: Dataset, problem: Problem, say: Say, place: Place = HERE) -> Study:
    """Judge every candidate by every protocol, and choose.

    Raises:
        FitError: no candidate can be judged on these rows.
    """
    names = list(CANDIDATES)
    judgings = {}
    for protocol in HONEST:
        say(f"judging   {protocol.title}")
        judgings[protocol.name] = Judging(*judge(problem, protocol, names, place))
    parts, rests_on = parts_of(dataset, problem), _rests_on(judgings, len(set(dataset.group)))
    evidence = evidence_of(problem, judgings[rests_on], parts)
    choice = choose(evidence)
    say(f"chosen    {choice.key[0]}, calibration {choice.key[1]}; {choice.verdict}")
    few = list(dict.fromkeys([RULE_NAME, BASELINE, choice.key[0]]))
    for protocol in OWN_TAU:
        judgings[protocol.name] = Judging(*judge(problem, protocol, few))
    say("judging   as published, to show what that flatters")
    judgings[PUBLISHED] = Judging(problem.spikes, judge_as_published(problem, names, place))
    methods = chosen_methods(evidence)
    return Study(problem, judgings, parts, evidence, methods, choice, rests_on)


def _rests_on(judgings: Mapping[str, Judging], groups: int) -> str:
    """Return the first honest protocol that could judge: a single capture is walked through."""
    for protocol in HONEST:
        if (RULE_NAME, "none") in judgings[protocol.name].judged:
            return protocol.name
    raise FitError(
        f"found {groups} group of captures, too short to be parted inside, expected two groups,"
        f" or one of {INSIDE // 60} usable minutes"
    )


def parts_of(dataset: Dataset, problem: Problem) -> dict[str, Flags]:
    """Return the rows of each capture by its file, then of each regime of volatility."""
    captures = {
        capture.file: problem.table.capture == number
        for number, capture in enumerate(dataset.captures)
    }
    return captures | regimes_of(problem.table, problem.tau)


def evidence_of(problem: Problem, judging: Judging, parts: Mapping[str, Flags]) -> Evidence:
    """Keep the rows of the products learned from."""
    core = problem.core
    return Evidence(
        spikes=judging.spikes[core],
        time_us=problem.table.time_us[core],
        judged={key: judged.take(core) for key, judged in judging.judged.items()},
        parts={name: rows[core] for name, rows in parts.items()},
    )
