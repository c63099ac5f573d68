"""The choice: by honest lift over the rv60 rule, with intervals; ties go to the simpler."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf
from typing import Any, Final

import numpy as np

from training.data.thresholds import Flags
from training.errors import FitError
from training.evaluation.bootstrap import (
    Interval,
    Resampled,
    brier_difference,
    precision_difference,
)
from training.evaluation.measures import ScoredRows, as_probabilities, quotable
from training.evaluation.protocols import Key, ScoredByKey
from training.models.calibration import METHODS, Method
from training.models.candidates import BASELINE, CALIBRATED_RULE, CANDIDATES, RULE_NAME

MANY: Final = 1000.0
"""Times the data, beyond which an estimate of what would decide says nothing more."""

MARGIN: Final = 0.001
"""A Brier score not further above the rule's than this is not worse: with no spike about, the
rule is right for ever, and any probability at all costs its square."""

Parts = Mapping[str, Flags]


@dataclass(frozen=True, slots=True)
class CandidateResult:
    """How a candidate stands against the rule on the same honest rows.

    ``lift`` is PR-AUC above the rule's, None where it is not quotable; ``brier`` is the Brier
    score above that of the rule's alarms as 0 and 1, so that above 0 is worse. ``worse_in``
    names the parts in which it is worse than the rule beyond the interval; ``full`` says
    whether it could score every row.
    """

    key: Key
    full: bool
    own_brier: float
    lift: Interval | None
    brier: Interval
    worse_in: tuple[str, ...]

    @property
    def name(self) -> str:
        """The candidate."""
        return self.key[0]

    @property
    def numbers(self) -> int:
        """How many numbers its fit makes."""
        return CANDIDATES[self.name].numbers

    @property
    def gain(self) -> Interval:
        """What is to be above 0: lift, or where that is not quotable, the Brier score saved."""
        if self.lift is not None:
            return self.lift
        return Interval(-self.brier.value, -self.brier.high, -self.brier.low)


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen candidate, whether evidence decides for it, and why in words."""

    key: Key
    decidable: bool
    reason: str
    results: tuple[CandidateResult, ...]

    @property
    def verdict(self) -> str:
        """Return what evidence decides, and why this one."""
        return f"{'decided' if self.decidable else 'not decidable'}: {self.reason}"

    def result(self, name: str) -> CandidateResult:
        """Return how a candidate stands."""
        return next(each for each in self.results if each.name == name)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Honest rows, of the products learned from: truth, times, scores, and parts by name."""

    spikes: Flags
    time_us: Any
    scored: ScoredByKey
    parts: Parts

    @property
    def rule(self) -> ScoredRows:
        """The rule's scores."""
        return self.scored[(RULE_NAME, "none")]


def chosen_methods(evidence: Evidence) -> dict[str, Method]:
    """Return each candidate's calibration: of ``full_ways``, that of the lowest Brier score."""
    scored = evidence.scored
    return {
        name: min(
            full_ways(name, scored), key=lambda way: brier_of(scored[(name, way)], evidence.spikes)
        )
        for name in dict.fromkeys(name for name, _ in scored)
    }


def full_ways(name: str, scored: ScoredByKey) -> list[Method]:
    """Return a candidate's calibrations that scored as many rows as any, from simple to free.

    A bare score stands only where no calibration could be fitted in every fold.
    """
    ways: list[Method] = [way for way in METHODS if (name, way) in scored]
    rows = {way: int(scored[(name, way)].has_score.sum()) for way in ways}
    full = [way for way in ways if rows[way] == max(rows.values())]
    return [way for way in full if way != "none"] or full


def brier_of(scored: ScoredRows, spikes: Flags) -> float:
    """Return the Brier score of the rows that have a score, infinite where none has."""
    at = scored.has_score
    return float(np.mean((scored.score[at] - spikes[at]) ** 2)) if at.any() else inf


def result_of(evidence: Evidence, key: Key, full: int) -> CandidateResult:
    """Compare one candidate with the rule, on the rows it scored."""
    at = evidence.scored[key].has_score
    spikes, score = evidence.spikes[at], evidence.scored[key].take(at).score
    plain = evidence.rule.take(at)
    hard = as_probabilities(plain, probabilities=False)
    said = hard if key[0] == RULE_NAME else score
    draws = Resampled.of(evidence.time_us[at])
    lift = precision_difference(spikes, score, plain.score, draws) if quotable(spikes) else None
    return CandidateResult(
        key=key,
        full=int(at.sum()) == full,
        own_brier=float(np.mean((said - spikes) ** 2)),
        lift=lift,
        brier=brier_difference(spikes, said, hard, draws),
        worse_in=tuple(part for part in evidence.parts if _worse(evidence, key, part)),
    )


def part_differences(
    evidence: Evidence, key: Key, part: str
) -> tuple[Interval | None, Interval] | None:
    """Return lift and Brier score of a candidate against the rule in one part, with intervals.

    The lift is None where PR-AUC is not quotable; all is where the candidate has no scores.
    """
    at = evidence.scored[key].has_score & evidence.parts[part]
    if not at.any():
        return None
    spikes, plain = evidence.spikes[at], evidence.rule.take(at)
    score, draws = evidence.scored[key].score[at], Resampled.of(evidence.time_us[at])
    hard = as_probabilities(plain, probabilities=False)
    lift = precision_difference(spikes, score, plain.score, draws) if quotable(spikes) else None
    return lift, brier_difference(spikes, score, hard, draws)


def _worse(evidence: Evidence, key: Key, part: str) -> bool:
    found = part_differences(evidence, key, part)
    return found is not None and key[0] != RULE_NAME and _is_worse(*found)


def _is_worse(lift: Interval | None, brier: Interval) -> bool:
    return brier.low > MARGIN or (lift is not None and lift.high < 0.0)


def holds(evidence: Evidence, key: Key, calibrated: Key) -> bool:
    """Say whether a candidate ranks at least as well as the calibrated rule, in no part worse.

    Both are of the rows that both scored.
    """
    everywhere = np.ones(len(evidence.spikes), np.bool_)
    whole = _differences(evidence, key, calibrated, everywhere)
    parts = [_differences(evidence, key, calibrated, rows) for rows in evidence.parts.values()]
    if whole is None:
        return True
    lift, _ = whole
    is_behind = lift is not None and lift.value < 0.0
    return not is_behind and not any(found and _is_worse(*found) for found in parts)


def _differences(
    evidence: Evidence, one: Key, other: Key, rows: Flags
) -> tuple[Interval | None, Interval] | None:
    """Return lift and Brier score of one above another, both as probabilities."""
    first, second = evidence.scored[one], evidence.scored[other]
    at = first.has_score & second.has_score & rows
    if not at.any():
        return None
    spikes, draws = evidence.spikes[at], Resampled.of(evidence.time_us[at])
    said = first.score[at], second.score[at]
    lift = precision_difference(spikes, *said, draws) if quotable(spikes) else None
    return lift, brier_difference(spikes, *said, draws)


def choose(evidence: Evidence, methods: Mapping[str, Method] | None = None) -> Choice:
    """Choose what becomes ``ml``; ``methods`` are the calibrations, by default the chosen ones.

    Raises:
        FitError: no candidate could be evaluated on the honest rows.
    """
    methods = methods or chosen_methods(evidence)
    full = int(evidence.rule.has_score.sum())
    results = tuple(result_of(evidence, key, full) for key in methods.items())
    eligible = [s for s in results if s.full and CANDIDATES[s.name].role == "candidate"]
    if not eligible:
        raise FitError("found no candidate with scores in every fold, expected one")
    beating = [s for s in eligible if s.gain.low > 0.0 and not s.worse_in]
    if beating:
        return _decided(evidence, beating, results)
    return _undecided(evidence, eligible, results)


def _decided(
    evidence: Evidence, beating: Sequence[CandidateResult], results: tuple[CandidateResult, ...]
) -> Choice:
    best = max(beating, key=lambda s: s.gain.value)
    ties = [s for s in beating if s is best or not _behind(evidence, s, best)]
    winner = min(ties, key=lambda s: s.numbers)
    reason = f"{winner.name} beats the rv60 rule beyond the interval"
    if winner is not best:
        reason += f"; {best.name} is not better than it beyond theirs, and has more numbers"
    return Choice(winner.key, True, reason, results)


def _behind(evidence: Evidence, one: CandidateResult, best: CandidateResult) -> bool:
    scores = [evidence.scored[each.key].score for each in (one, best)]
    draws = Resampled.of(evidence.time_us)
    if one.lift is None:
        return brier_difference(evidence.spikes, scores[0], scores[1], draws).low > 0.0
    return precision_difference(evidence.spikes, scores[0], scores[1], draws).high < 0.0


def _undecided(
    evidence: Evidence, eligible: Sequence[CandidateResult], results: tuple[CandidateResult, ...]
) -> Choice:
    limit = min(s.own_brier for s in results if s.name in (RULE_NAME, CALIBRATED_RULE, BASELINE))
    sound = [s for s in eligible if s.own_brier <= limit and s.gain.value >= 0 and not s.worse_in]
    for rule in (s.key for s in results if s.name == CALIBRATED_RULE):
        sound = [s for s in sound if holds(evidence, s.key, rule)]
    if sound:
        winner = min(sound, key=lambda s: s.numbers)
        why = (
            "the simplest calibrated model whose Brier score and PR-AUC are at least the rule's"
            " and the calibrated rule's, and in no part worse than either beyond the interval"
        )
    else:
        winner = min(eligible, key=lambda s: s.own_brier)
        why = "the one with the lowest Brier score, as none holds the figures of both in every part"
    reason = f"no candidate beats the rv60 rule beyond its interval; chosen is {why}"
    return Choice(winner.key, False, reason, results)


def data_needed(gain: Interval, hours: float, episodes: int) -> dict[str, Any]:
    """Estimate how much data would decide, if the difference stays what it is.

    An interval shrinks with the root of the number of episodes: to bring its half width down to
    the difference takes (half width / difference)² times as many.
    """
    times = (gain.half_width / abs(gain.value)) ** 2 if gain.value else MANY
    times = min(max(times, 1.0), MANY)
    return {
        "times": round(times, 1),
        "hours_now": round(hours, 2),
        "episodes_now": episodes,
        "hours": ceil(times * hours),
        "episodes": ceil(times * episodes),
        "at_least": times >= MANY,
    }
