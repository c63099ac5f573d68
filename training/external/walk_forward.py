"""Walk-forward evaluation of tables that are no captures: learn from the past, test what follows.

One logistic regression stands beside the plain rule "it goes on as it is now". Where a spike
begins is a percentile of each training part alone, and so is every other number of the fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from training.data.thresholds import TAU_PERCENTILE, Flags, threshold_of
from training.evaluation.bootstrap import (
    SEED,
    Interval,
    Resampled,
    brier_difference,
    precision_difference,
)
from training.evaluation.measures import ScoredRows, figures, quotable
from training.external.columns import Numbers, Times

KNOWN_SHARE: Final = 0.9
"""A column known in fewer of the training rows is left out of that fold."""
DRAWS: Final = 300
FEWEST_BLOCKS: Final = 8
"""An interval drawn from fewer blocks of time would look sharper than it is: none is given."""


@dataclass(frozen=True, slots=True)
class ExternalRows:
    """Rows to be evaluated, in order of time.

    ``values`` is [n, columns], NaN where unknown; ``now`` the rule's quantity at the row and
    ``ahead`` what followed, in one unit; the label of a row is known at ``end_us`` (epoch
    microseconds).
    """

    columns: tuple[str, ...]
    values: Numbers
    time_us: Times
    end_us: Times
    now: Numbers
    ahead: Numbers

    def __len__(self) -> int:
        return len(self.time_us)


@dataclass(frozen=True, slots=True)
class TimeFold:
    """A training part, all before the test part, and the test part's name."""

    name: str
    train: npt.NDArray[np.intp]
    test: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Tested:
    """One test part: which rows were spikes, what each model said, and its time."""

    time_us: Times
    spikes: Flags
    rule: ScoredRows
    model: ScoredRows
    calibrated: ScoredRows


def folds_between(
    rows: ExternalRows, starts_us: Sequence[tuple[str, int]], embargo_us: int
) -> list[TimeFold]:
    """Cut the rows at these times: each part is tested by what lies before it.

    A training row's label must be known ``embargo_us`` before its test part begins. Parts
    without rows are left out, as is what comes before the first time.
    """
    folds = []
    for at, (name, start) in enumerate(starts_us):
        later = starts_us[at + 1 :]
        end = later[0][1] if later else np.iinfo(np.int64).max
        train = np.flatnonzero(rows.end_us <= start - embargo_us)
        test = np.flatnonzero((rows.time_us >= start) & (rows.time_us < end))
        if len(train) and len(test):
            folds.append(TimeFold(name, train, test))
    return folds


def walk_forward(
    rows: ExternalRows, folds: Sequence[TimeFold], block_us: int, percentile: float = TAU_PERCENTILE
) -> dict[str, Any]:
    """Evaluate every fold, and all test parts pooled with intervals by blocks of ``block_us``.

    ``left_out`` names the parts whose training part has a single class.
    """
    told, tested, left_out = [], [], []
    for fold in folds:
        tau = float(np.percentile(rows.ahead[fold.train], percentile))
        about = {"part": fold.name, "rows_train": len(fold.train), "tau": tau}
        spikes = rows.ahead >= tau
        if len(np.unique(spikes[fold.train])) != 2:
            left_out.append(about | {"reason": "a single class in the training part"})
            continue
        part = _test(rows, fold, spikes, tau)
        tested.append(part)
        told.append(about | _figures(part, block_us))
    pooled = _figures(_pool(tested), block_us) if tested else None
    return {"parts": told, "pooled": pooled, "left_out": left_out}


def _test(rows: ExternalRows, fold: TimeFold, spikes: Flags, tau: float) -> _Tested:
    train, test = fold.train, fold.test
    own = np.log(np.maximum(rows.now, 1e-9))[:, None]
    known = 1.0 - np.isnan(rows.values[train]).mean(axis=0) >= KNOWN_SHARE
    return _Tested(
        time_us=rows.time_us[test],
        spikes=spikes[test],
        rule=ScoredRows(np.nan_to_num(rows.now[test]) / tau, rows.now[test] >= tau),
        model=_fit(rows.values[:, known], spikes, train, test),
        calibrated=_fit(own, spikes, train, test),
    )


def _fit(
    values: Numbers, spikes: Flags, train: npt.NDArray[np.intp], test: npt.NDArray[np.intp]
) -> ScoredRows:
    model = make_pipeline(
        SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=2000)
    )
    with threadpool_limits(limits=1):
        model.fit(values[train], spikes[train])
        limit = threshold_of(model.predict_proba(values[train])[:, 1], spikes[train])
        score = model.predict_proba(values[test])[:, 1]
    return ScoredRows(score, score >= limit)


def _pool(parts: Sequence[_Tested]) -> _Tested:
    def joined(name: str) -> ScoredRows:
        found = [getattr(part, name) for part in parts]
        score = np.concatenate([scored.score for scored in found])
        return ScoredRows(score, np.concatenate([scored.alarm for scored in found]))

    return _Tested(
        time_us=np.concatenate([part.time_us for part in parts]),
        spikes=np.concatenate([part.spikes for part in parts]),
        rule=joined("rule"),
        model=joined("model"),
        calibrated=joined("calibrated"),
    )


def _figures(part: _Tested, block_us: int) -> dict[str, Any]:
    return {
        "rows": len(part.spikes),
        "spikes": int(part.spikes.sum()),
        "prevalence": float(part.spikes.mean()),
        "rule": figures(part.spikes, part.rule, probabilities=False),
        "logistic_regression": figures(part.spikes, part.model, probabilities=True),
        "rule_as_probability": figures(part.spikes, part.calibrated, probabilities=True),
        "better_than_rule": _better(part, block_us),
    }


def _better(part: _Tested, block_us: int) -> dict[str, Any]:
    """Return how much better the model is, with intervals over whole blocks of time.

    The Brier score saved is against the rule made a probability by one fitted slope: the fairer
    opponent.
    """
    spikes, model, draws = part.spikes, part.model.score, _draws(part.time_us, block_us)
    blocks = draws.draws.shape[1]
    found: dict[str, Interval | None] = {
        "pr_auc": (
            precision_difference(spikes, model, part.rule.score, draws)
            if quotable(spikes)
            else None
        ),
        "brier": brier_difference(spikes, part.calibrated.score, model, draws),
    }
    told = {
        name: each and _told(each, ends=blocks >= FEWEST_BLOCKS) for name, each in found.items()
    }
    return {"blocks": blocks, "draws": DRAWS if blocks >= FEWEST_BLOCKS else 0, **told}


def _draws(time_us: Times, block_us: int) -> Resampled:
    """Draw as many blocks of time as there are, with putting back."""
    _, block = np.unique(time_us // block_us, return_inverse=True)
    count = int(block.max()) + 1
    chance = np.random.default_rng(SEED)
    drawn = chance.multinomial(count, np.full(count, 1.0 / count), DRAWS).astype(np.float64)
    return Resampled(block.astype(np.intp), drawn)


def _told(interval: Interval, *, ends: bool) -> dict[str, float | None]:
    """Return it for the report; the ends only where there are blocks enough to draw from."""
    return {
        name: value if np.isfinite(value) and (ends or name == "value") else None
        for name, value in interval.document().items()
    }


def part_lines(found: dict[str, Any]) -> list[str]:
    """Return lines of each part, then all pooled: the model's figures above the rule's."""
    lines = [f"  {each['part']}: left out, {each['reason']}" for each in found["left_out"]]
    pooled = [{"part": "pooled"} | found["pooled"]] if found["pooled"] else []
    for part in [*found["parts"], *pooled]:
        lines.append(f"  {part['part']}: {part['rows']} rows, prevalence {part['prevalence']:.4f}")
        for name in ("logistic_regression", "rule", "rule_as_probability"):
            lines.append(f"    {name.replace('_', ' '):<20} {_said(part[name])}")
        lines.append(f"    {'better than the rule':<20} {_gain(part['better_than_rule'])}")
    return lines


def _said(scored: dict[str, Any]) -> str:
    names = ("pr_auc", "roc_auc", "brier", "precision", "recall", "f1")
    return "  ".join(f"{name}={_number(scored[name])}" for name in names)


def _gain(better: dict[str, Any]) -> str:
    told = []
    for name in ("pr_auc", "brier"):
        found = better[name] or {"value": None, "low": None}
        ends = "" if found["low"] is None else f" [{found['low']:+.4f}, {found['high']:+.4f}]"
        value = found["value"]
        told.append(f"{name} {'not-quotable' if value is None else f'{value:+.4f}'}{ends}")
    few = "" if better["blocks"] >= FEWEST_BLOCKS else f"  (only {better['blocks']} blocks)"
    return "  ".join(told) + few


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return "–" if value is None else "not-quotable"
