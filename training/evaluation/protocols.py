"""The protocols side by side: how rows are parted into what is learned from and what is tested."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.model_selection import GridSearchCV, StratifiedKFold, StratifiedShuffleSplit
from threadpoolctl import threadpool_limits

from training.data.parallel import HERE, Place
from training.data.rows import Table
from training.data.splits import Fold, Indices, LeaveOneGroupOut, WalkForward
from training.data.thresholds import Flags, Scores, tau_of, threshold_of, thresholds_of
from training.errors import FitError
from training.evaluation.measures import Judged, rule
from training.models.calibration import Method
from training.models.candidates import CANDIDATES, RULE_NAME, SEED
from training.models.fitting import Fitted, columns_of, extra_of, fit
from training.models.labelled_set import Lesson
from training.models.problem import Problem

Key = tuple[str, Method]
Judgements = dict[Key, Judged]
Folds = Callable[[Problem], Iterable[Fold]]


@dataclass(frozen=True, slots=True)
class Protocol:
    """One way to part the rows; ``folds`` gives (training, test) positions.

    With ``own_tau``, τ too comes from each fold's training part, so that every fold asks
    another question; otherwise τ is the promotion's.
    """

    name: str
    title: str
    folds: Folds
    own_tau: bool = False


def _leave_group_out(problem: Problem) -> Iterable[Fold]:
    return LeaveOneGroupOut(problem.table.time_us, problem.group).split(problem.spikes)


def _walk_forward(problem: Problem) -> Iterable[Fold]:
    return WalkForward(problem.table.time_us, problem.group).split(problem.spikes)


LEAVE_GROUP_OUT: Final = Protocol(
    "leave_group_out", "leave one group of captures out, purged and embargoed", _leave_group_out
)
WALK_FORWARD: Final = Protocol(
    "walk_forward", "walk forward in time, purged and embargoed", _walk_forward
)
HONEST: Final = (LEAVE_GROUP_OUT, WALK_FORWARD)
OWN_TAU: Final = (
    Protocol(
        "leave_group_out_own_tau",
        "leave one group out, τ from the fold's training part alone",
        _leave_group_out,
        own_tau=True,
    ),
    Protocol(
        "walk_forward_own_tau",
        "walk forward, τ from the fold's training part alone",
        _walk_forward,
        own_tau=True,
    ),
)
PUBLISHED: Final = "published"
PUBLISHED_TITLE: Final = "random stratified 80/20 with a 5-fold search, as published"


@dataclass(frozen=True, slots=True)
class Task:
    """One candidate, to be judged by one fold; it travels to where it runs."""

    problem: Problem
    own_tau: bool
    name: str
    fold: Fold


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one fold gave for its test rows, and the spikes they were judged by."""

    name: str
    test: Indices
    spikes: Flags
    judged: Mapping[Method, Judged]


def judge(
    problem: Problem, protocol: Protocol, names: Sequence[str], place: Place = HERE
) -> tuple[Flags, Judgements]:
    """Judge candidates by one protocol; gives each row's truth, then scores and alarms by key.

    A row has NaN for a score where no fold could score it.
    """
    folds = list(protocol.folds(problem))
    tasks = [Task(problem, protocol.own_tau, name, fold) for name in names for fold in folds]
    spikes = problem.spikes.copy()
    found: Judgements = {}
    for outcome in place.run(judge_fold, tasks, lambda number: None):
        spikes[outcome.test] = outcome.spikes
        for method, judged in outcome.judged.items():
            whole = found.setdefault((outcome.name, method), _blank(len(spikes)))
            whole.score[outcome.test] = judged.score
            whole.alarm[outcome.test] = judged.alarm
    return spikes, found


def _blank(rows: int) -> Judged:
    return Judged(np.full(rows, np.nan), np.zeros(rows, dtype=np.bool_))


def judge_fold(task: Task) -> Outcome:
    """Learn from the fold's training part alone and judge its test part.

    Where there is nothing to learn from, the outcome has no judgement.
    """
    problem, (train, test) = task.problem, task.fold
    tau = dict(problem.tau)
    train = train[problem.core[train]]
    if task.own_tau and len(train):
        tau |= tau_of(problem.table.take(train), problem.tau_percentile)
    tested = Lesson.of(problem.table.take(test), tau)
    judged: dict[Method, Judged] = {}
    if task.name == RULE_NAME and len(train):
        judged = {"none": rule(tested.table, tau)}
    elif len(train):
        judged = _judged(task.name, Lesson.of(problem.table.take(train), tau), tested.table)
    return Outcome(task.name, test, tested.spikes, judged)


def _judged(name: str, lesson: Lesson, tested: Table) -> dict[Method, Judged]:
    try:
        ways = fit(CANDIDATES[name], lesson)
    except FitError:
        return {}
    return {way: judge_by(fitted, lesson, tested) for way, fitted in ways.items()}


def judge_by(fitted: Fitted, lesson: Lesson, tested: Table) -> Judged:
    """Score rows, and alarm by thresholds made from the training part alone."""
    seen, scores = fitted.scores(lesson.table), fitted.scores(tested)
    return Judged(scores, scores >= limits_of(lesson, seen, tested))


def limits_of(lesson: Lesson, seen: Scores, tested: Table) -> Scores:
    """Return each tested row's threshold: its product's, or where that is new, that of all."""
    own = thresholds_of(lesson.table, seen, lesson.spikes)
    shared = threshold_of(seen, lesson.spikes)
    return np.array([own.get(product, shared) for product in tested.product.tolist()])


def judge_as_published(problem: Problem, names: Sequence[str], place: Place = HERE) -> Judgements:
    """Judge by the published protocol, kept to show what it flatters.

    Rows of one minute stand on both sides of the cut, and their labels share 59 of 60 returns.
    """
    core = np.flatnonzero(problem.core)
    cut = StratifiedShuffleSplit(n_splits=1, test_size=0.2, random_state=SEED)
    train, test = next(cut.split(core, problem.spikes[core]))
    lesson, tested = problem.lesson.take(core[train]), problem.table.take(core[test])
    found: Judgements = {}
    for name in names:
        blank = found[(name, "none")] = _blank(len(problem.spikes))
        if name == RULE_NAME:
            judged = rule(tested, problem.tau)
        else:
            judged = judge_by(_searched(name, lesson, place), lesson, tested)
        blank.score[core[test]], blank.alarm[core[test]] = judged.score, judged.alarm
    return found


def _searched(name: str, lesson: Lesson, place: Place) -> Fitted:
    candidate = CANDIDATES[name]
    features = candidate.known(lesson.table)
    pipeline = candidate.build(features)
    search = GridSearchCV(
        pipeline,
        candidate.grid,
        scoring="average_precision",
        cv=StratifiedKFold(5, shuffle=True, random_state=SEED),
        n_jobs=-1,
    )
    extra = extra_of(pipeline, lesson)
    with place.using(), threadpool_limits(limits=1):
        search.fit(columns_of(lesson.table, features), lesson.spikes, **extra)
    return Fitted(candidate, features, search.best_estimator_)
