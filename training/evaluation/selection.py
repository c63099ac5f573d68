"""The choice: by honest lift over the rv60 rule, with intervals; ties go to the simpler."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
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
from training.models.candidates import BASELINE, CANDIDATES, RULE_NAME

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
    """Return each candidate's calibration: of those that scored as many rows as any, the best.

    The best has the lowest Brier score; a bare score stands only where no calibration could be
    fitted in every fold.
    """
    found: dict[str, Method] = {}
    for name in dict.fromkeys(name for name, _ in evidence.scored):
        ways: list[Method] = [way for way in METHODS if (name, way) in evidence.scored]
        rows = {way: int(evidence.scored[(name, way)].has_score.sum()) for way in ways}
        full = [way for way in ways if rows[way] == max(rows.values())]
        calibrated = [way for way in full if way != "none"] or full
        found[name] = min(calibrated, key=_brier_of(name, evidence))
    return found


def _brier_of(name: str, evidence: Evidence) -> Callable[[Method], float]:
    def brier(way: Method) -> float:
        scored = evidence.scored[(name, way)]
        at = scored.has_score
        return float(np.mean((scored.score[at] - evidence.spikes[at]) ** 2))

    return brier


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
    if found is None or key[0] == RULE_NAME:
        return False
    lift, brier = found
    return brier.low > MARGIN or (lift is not None and lift.high < 0.0)


def choose(evidence: Evidence) -> Choice:
    """Choose what becomes ``ml``.

    Raises:
        FitError: no candidate could be evaluated on the honest rows.
    """
    methods = chosen_methods(evidence)
    full = int(evidence.rule.has_score.sum())
    results = tuple(result_of(evidence, key, full) for key in methods.items())
    eligible = [s for s in results if s.full and CANDIDATES[s.name].role == "candidate"]
    if not eligible:
        raise FitError("found no candidate with scores in every fold, expected one")
    beating = [s for s in eligible if s.gain.low > 0.0 and not s.worse_in]
    if beating:
        return _decided(evidence, beating, results)
    return _undecided(eligible, results)


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


def _undecided(eligible: Sequence[CandidateResult], results: tuple[CandidateResult, ...]) -> Choice:
    limit = min(s.own_brier for s in results if s.name in (RULE_NAME, BASELINE))
    sound = [s for s in eligible if s.own_brier <= limit and s.gain.value >= 0 and not s.worse_in]
    if sound:
        winner = min(sound, key=lambda s: s.numbers)
        why = (
            "the simplest calibrated model whose Brier score and PR-AUC are at least the rule's"
            " pooled, and in no part worse beyond the interval"
        )
    else:
        winner = min(eligible, key=lambda s: s.own_brier)
        why = "the one with the lowest Brier score, as none holds the rule's figures in every part"
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
