"""All protocols over all candidates, and what they say: the evidence behind the choice."""

from collections.abc import Mapping
from dataclasses import dataclass

from training.data.dataset import Dataset, Say
from training.data.parallel import IN_PROCESS, Executor
from training.data.splits import INSIDE
from training.data.thresholds import Flags
from training.errors import FitError
from training.evaluation.measures import ScoredRows
from training.evaluation.nested import nested
from training.evaluation.protocols import (
    HONEST,
    OWN_TAU,
    PUBLISHED,
    Key,
    ScoredByKey,
    evaluate,
    evaluate_as_published,
)
from training.evaluation.regimes import regimes_of
from training.evaluation.selection import Choice, Evidence, choose, chosen_methods
from training.models.calibration import Method
from training.models.candidates import BASELINE, CANDIDATES, RULE_NAME
from training.models.problem import LearningProblem


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one protocol gave: each row's truth in it, and the scores by candidate."""

    spikes: Flags
    scored: ScoredByKey

    def of(self, key: Key) -> ScoredRows | None:
        """Return a candidate's scores; of another calibration where this one has none."""
        return self.scored.get(key) or self.scored.get((key[0], "none"))


@dataclass(frozen=True, slots=True)
class Study:
    """Everything evaluated; ``evidence`` has the honest rows that the choice was made on.

    ``rests_on`` names the protocol they come from; ``parts`` names parts of all rows: captures by
    file, then regimes of volatility.
    """

    problem: LearningProblem
    evaluations: Mapping[str, Evaluation]
    parts: Mapping[str, Flags]
    evidence: Evidence
    methods: Mapping[str, Method]
    choice: Choice
    rests_on: str

    @property
    def honest(self) -> Evaluation:
        """The evaluation that the choice rests on."""
        return self.evaluations[self.rests_on]

    def key_of(self, name: str) -> Key:
        """Return a candidate with its calibration."""
        return name, self.methods[name]


def study(
    dataset: Dataset, problem: LearningProblem, say: Say, executor: Executor = IN_PROCESS
) -> Study:
    """Evaluate every candidate by every protocol, and choose.

    Raises:
        FitError: no candidate can be evaluated on these rows.
    """
    names = list(CANDIDATES)
    evaluations = {}
    for protocol in HONEST:
        say(f"testing   {protocol.title}")
        evaluations[protocol.name] = Evaluation(*evaluate(problem, protocol, names, executor))
    parts, rests_on = parts_of(dataset, problem), _rests_on(evaluations, len(set(dataset.group)))
    methods = chosen_methods(evidence_of(problem, evaluations[rests_on], parts))
    for name, of in evaluations.items():
        evaluations[name] = picked_apart(problem, of, methods)
    evidence = evidence_of(problem, evaluations[rests_on], parts)
    choice = choose(evidence, methods)
    say(f"chosen    {choice.key[0]}, calibration {choice.key[1]}; {choice.verdict}")
    few = list(dict.fromkeys([RULE_NAME, BASELINE, choice.key[0]]))
    for protocol in OWN_TAU:
        own = Evaluation(*evaluate(problem, protocol, few))
        evaluations[protocol.name] = picked_apart(problem, own, methods)
    say("testing   as published, to show what that flatters")
    evaluations[PUBLISHED] = Evaluation(
        problem.spikes, evaluate_as_published(problem, names, executor)
    )
    return Study(problem, evaluations, parts, evidence, methods, choice, rests_on)


def picked_apart(
    problem: LearningProblem, of: Evaluation, methods: Mapping[str, Method]
) -> Evaluation:
    """Return an evaluation in which the groups not judged pick a candidate's calibration.

    References keep what all groups pick, which flatters them alone.
    """
    own = {name: way for name, way in methods.items() if CANDIDATES[name].role == "candidate"}
    scored = nested(of.spikes, dict(of.scored), problem.core, problem.group, own)
    return Evaluation(of.spikes, scored)


def _rests_on(evaluations: Mapping[str, Evaluation], groups: int) -> str:
    """Return the first honest protocol that could evaluate: a single capture is walked through."""
    for protocol in HONEST:
        if (RULE_NAME, "none") in evaluations[protocol.name].scored:
            return protocol.name
    raise FitError(
        f"found {groups} group of captures, too short to be parted inside, expected two groups,"
        f" or one of {INSIDE // 60} usable minutes"
    )


def parts_of(dataset: Dataset, problem: LearningProblem) -> dict[str, Flags]:
    """Return the rows of each capture by its file, then of each regime of volatility."""
    captures = {
        capture.file: problem.table.capture == number
        for number, capture in enumerate(dataset.captures)
    }
    return captures | regimes_of(problem.table, problem.tau)


def evidence_of(
    problem: LearningProblem, evaluation: Evaluation, parts: Mapping[str, Flags]
) -> Evidence:
    """Keep the rows of the products learned from."""
    core = problem.core
    return Evidence(
        spikes=evaluation.spikes[core],
        time_us=problem.table.time_us[core],
        scored={key: scored.take(core) for key, scored in evaluation.scored.items()},
        parts={name: rows[core] for name, rows in parts.items()},
    )
