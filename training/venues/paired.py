"""Two forecasts of the same seconds compared, with intervals over whole days.

Neighbouring seconds, and hours, are one observation: whole days are drawn, or whole captures.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score

from ingestor.instant import text_of
from training.data.thresholds import Flags
from training.evaluation.measures import expected_calibration_error
from training.external.columns import Numbers
from training.venues.forecasts import Forecast

DRAWS: Final = 10_000
SEED: Final = 20
LEVEL: Final = 0.95
FEWEST: Final = 5
"""Of fewer days an interval would look sharper than it is."""
RIVALS: Final = ("model", "rule")
UNDECIDED: Final = "not decidable"
_DIGITS: Final = 5

Loss = Callable[[Flags, Numbers], Numbers]


def brier(came: Flags, said: Numbers) -> Numbers:
    """Return the squared error of each chance."""
    found: Numbers = (said - came) ** 2
    return found


def log_loss(came: Flags, said: Numbers) -> Numbers:
    """Return −ln of the chance given to what came; chances are inside 0…1."""
    found: Numbers = -np.log(np.where(came, said, 1.0 - said))
    return found


LOSSES: Final[dict[str, Loss]] = {"brier": brier, "log_loss": log_loss}


def forecast_figures(forecast: Forecast, name: Callable[[int], str]) -> dict[str, Any]:
    """Return figures of model, rule and base rate, and what the model gains on the rule.

    ``name`` gives a part's name. A gain is above 0 where the model is better.
    """
    came = forecast.came
    said = {"model": forecast.model, "rule": forecast.rule, "base": forecast.base}
    return {
        "seconds": len(came),
        "parts": len(np.unique(forecast.part)),
        "prevalence": _rounded(came.mean()),
        "ece": {who: _rounded(expected_calibration_error(came, said[who])) for who in RIVALS},
        "pr_auc": {who: _pr_auc(came, said[who]) for who in RIVALS},
        **{
            loss: {who: _rounded(of(came, chance).mean()) for who, chance in said.items()}
            | {
                "gain": gain(
                    of(came, forecast.rule) - of(came, forecast.model), forecast.part, name
                )
            }
            for loss, of in LOSSES.items()
        },
    }


def _pr_auc(came: Flags, said: Numbers) -> float | None:
    return _rounded(average_precision_score(came, said)) if came.any() else None


def learned_gain(one: Forecast, other: Forecast, name: Callable[[int], str]) -> dict[str, Any]:
    """Return what one model gains on another, both of the same seconds, by each loss."""
    return {
        loss: gain(of(one.came, other.model) - of(one.came, one.model), one.part, name)
        for loss, of in LOSSES.items()
    }


def gain(each: Numbers, part: npt.NDArray[np.int64], name: Callable[[int], str]) -> dict[str, Any]:
    """Return the mean of a difference over seconds, its interval over whole parts, and by part.

    ``verdict`` is ``better`` or ``worse`` where the interval of 95 % excludes 0, else
    ``not decidable``, as it is of fewer parts than ``FEWEST``.
    """
    parts, at = np.unique(part, return_inverse=True)
    total, n = np.bincount(at, each).astype(np.float64), np.bincount(at).astype(np.float64)
    low, high = _interval(total, n) if len(parts) >= FEWEST else (None, None)
    return {
        "value": _rounded(each.mean()),
        "low": low,
        "high": high,
        "verdict": _verdict(low, high),
        "by_part": {name(int(p)): _rounded(t / k) for p, t, k in zip(parts, total, n, strict=True)},
    }


def _interval(total: Numbers, n: Numbers) -> tuple[float, float]:
    chance = np.random.default_rng(SEED)
    draws = chance.multinomial(len(n), np.full(len(n), 1.0 / len(n)), DRAWS)
    edge = (1.0 - LEVEL) / 2
    low, high = np.quantile((draws @ total) / (draws @ n), [edge, 1.0 - edge])
    return _rounded(low), _rounded(high)


def _verdict(low: float | None, high: float | None) -> str:
    if low is None or high is None or low <= 0.0 <= high:
        return UNDECIDED
    return "better" if low > 0.0 else "worse"


def day_name(day: int) -> str:
    """Return the date of a UTC day counted from the epoch."""
    return text_of(day * 86_400_000_000)[:10]


def _rounded(value: float) -> float:
    return round(float(value), _DIGITS)
