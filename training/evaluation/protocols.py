"""The protocols side by side: how rows are parted into what is learned from and what is tested."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.model_selection import GridSearchCV, StratifiedKFold, StratifiedShuffleSplit
from threadpoolctl import threadpool_limits

from training.data.parallel import IN_PROCESS, Executor
from training.data.rows import Table
from training.data.splits import Fold, Indices, LeaveOneGroupOut, WalkForward
from training.data.thresholds import Flags, Scores, tau_of, threshold_of, thresholds_of
from training.errors import FitError
from training.evaluation.measures import ScoredRows, rule
from training.models.calibration import Method
from training.models.candidates import CANDIDATES, RULE_NAME, SEED
from training.models.fitting import Fitted, columns_of, fit, fit_arguments
from training.models.labelled_set import LabelledSet
from training.models.problem import LearningProblem

Key = tuple[str, Method]
ScoredByKey = dict[Key, ScoredRows]
Folds = Callable[[LearningProblem], Iterable[Fold]]


@dataclass(frozen=True, slots=True)
class EvaluationProtocol:
    """One way to part the rows; ``folds`` gives (training, test) positions.

    With ``own_tau``, τ too comes from each fold's training part, so that every fold asks
    another question; otherwise τ is the promotion's.
    """

    name: str
    title: str
    folds: Folds
    own_tau: bool = False


def _leave_group_out(problem: LearningProblem) -> Iterable[Fold]:
    return LeaveOneGroupOut(problem.table.time_us, problem.group).split(problem.spikes)


def _walk_forward(problem: LearningProblem) -> Iterable[Fold]:
    return WalkForward(problem.table.time_us, problem.group).split(problem.spikes)


LEAVE_GROUP_OUT: Final = EvaluationProtocol(
    "leave_group_out", "leave one group of captures out, purged and embargoed", _leave_group_out
)
WALK_FORWARD: Final = EvaluationProtocol(
    "walk_forward", "walk forward in time, purged and embargoed", _walk_forward
)
HONEST: Final = (LEAVE_GROUP_OUT, WALK_FORWARD)
OWN_TAU: Final = (
    EvaluationProtocol(
        "leave_group_out_own_tau",
        "leave one group out, τ from the fold's training part alone",
        _leave_group_out,
        own_tau=True,
    ),
    EvaluationProtocol(
        "walk_forward_own_tau",
        "walk forward, τ from the fold's training part alone",
        _walk_forward,
        own_tau=True,
    ),
)
PUBLISHED: Final = "published"
PUBLISHED_TITLE: Final = "random stratified 80/20 with a 5-fold search, as published"


@dataclass(frozen=True, slots=True)
class FoldTask:
    """One candidate, to be evaluated by one fold; it travels to where it runs."""

    problem: LearningProblem
    own_tau: bool
    name: str
    fold: Fold


@dataclass(frozen=True, slots=True)
class FoldResult:
    """What one fold gave for its test rows, and the spikes they were evaluated by."""

    name: str
    test: Indices
    spikes: Flags
    scored: Mapping[Method, ScoredRows]


def evaluate(
    problem: LearningProblem,
    protocol: EvaluationProtocol,
    names: Sequence[str],
    executor: Executor = IN_PROCESS,
) -> tuple[Flags, ScoredByKey]:
    """Return each row's truth in a protocol, then the candidates' scores and alarms by key.

    A row has NaN for a score where no fold could score it.
    """
    folds = list(protocol.folds(problem))
    tasks = [FoldTask(problem, protocol.own_tau, name, fold) for name in names for fold in folds]
    spikes = problem.spikes.copy()
    found: ScoredByKey = {}
    for result in executor.run(evaluate_fold, tasks, lambda number: None):
        spikes[result.test] = result.spikes
        for method, scored in result.scored.items():
            whole = found.setdefault((result.name, method), _blank(len(spikes)))
            whole.score[result.test] = scored.score
            whole.alarm[result.test] = scored.alarm
    return spikes, found


def _blank(rows: int) -> ScoredRows:
    return ScoredRows(np.full(rows, np.nan), np.zeros(rows, dtype=np.bool_))


def evaluate_fold(task: FoldTask) -> FoldResult:
    """Learn from the fold's training part alone and evaluate its test part.

    Where there is nothing to learn from, the outcome has no scores.
    """
    problem, (train, test) = task.problem, task.fold
    tau = dict(problem.tau)
    train = train[problem.core[train]]
    if task.own_tau and len(train):
        tau |= tau_of(problem.table.take(train), problem.tau_percentile)
    tested = LabelledSet.of(problem.table.take(test), tau)
    scored: dict[Method, ScoredRows] = {}
    if task.name == RULE_NAME and len(train):
        scored = {"none": rule(tested.table, tau)}
    elif len(train):
        scored = _evaluate_candidate(
            task.name, LabelledSet.of(problem.table.take(train), tau), tested.table
        )
    return FoldResult(task.name, test, tested.spikes, scored)


def _evaluate_candidate(
    name: str, labelled: LabelledSet, tested: Table
) -> dict[Method, ScoredRows]:
    try:
        ways = fit(CANDIDATES[name], labelled)
    except FitError:
        return {}
    return {way: score_test_rows(fitted, labelled, tested) for way, fitted in ways.items()}


def score_test_rows(fitted: Fitted, labelled: LabelledSet, tested: Table) -> ScoredRows:
    """Score rows, and alarm by thresholds made from the training part alone."""
    seen, scores = fitted.scores(labelled.table), fitted.scores(tested)
    return ScoredRows(scores, scores >= row_thresholds(labelled, seen, tested))


def row_thresholds(labelled: LabelledSet, seen: Scores, tested: Table) -> Scores:
    """Return each tested row's threshold: its product's, or where that is new, that of all."""
    own = thresholds_of(labelled.table, seen, labelled.spikes)
    shared = threshold_of(seen, labelled.spikes)
    return np.array([own.get(product, shared) for product in tested.product.tolist()])


def evaluate_as_published(
    problem: LearningProblem, names: Sequence[str], executor: Executor = IN_PROCESS
) -> ScoredByKey:
    """Evaluate by the published protocol, kept to show what it flatters.

    Rows of one minute stand on both sides of the cut, and their labels share 59 of 60 returns.
    """
    core = np.flatnonzero(problem.core)
    cut = StratifiedShuffleSplit(n_splits=1, test_size=0.2, random_state=SEED)
    train, test = next(cut.split(core, problem.spikes[core]))
    labelled, tested = problem.labelled.take(core[train]), problem.table.take(core[test])
    found: ScoredByKey = {}
    for name in names:
        blank = found[(name, "none")] = _blank(len(problem.spikes))
        if name == RULE_NAME:
            scored = rule(tested, problem.tau)
        else:
            scored = score_test_rows(_searched(name, labelled, executor), labelled, tested)
        blank.score[core[test]], blank.alarm[core[test]] = scored.score, scored.alarm
    return found


def _searched(name: str, labelled: LabelledSet, executor: Executor) -> Fitted:
    candidate = CANDIDATES[name]
    features = candidate.known(labelled.table)
    pipeline = candidate.build(features)
    search = GridSearchCV(
        pipeline,
        candidate.search_space,
        scoring="average_precision",
        cv=StratifiedKFold(5, shuffle=True, random_state=SEED),
        n_jobs=-1,
    )
    arguments = fit_arguments(pipeline, labelled)
    with executor.using(), threadpool_limits(limits=1):
        search.fit(columns_of(labelled.table, features), labelled.spikes, **arguments)
    return Fitted(candidate, features, search.best_estimator_)
