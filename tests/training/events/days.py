"""Days as their predictions would have stood, made up."""

import numpy as np

from training.external.columns import Numbers
from training.venues.forecasts import ScoredDay


def day(
    severe: float, seconds: int = 4_000, score: float = 0.005, volatility: Numbers | None = None
) -> ScoredDay:
    """Return a day of equal scores and τ 1, quiet but for the volatility given, [seconds]."""
    each = np.ones(seconds)
    rv60 = 0.5 * each if volatility is None else volatility
    ahead = np.append(rv60[60:], np.full(60, np.nan))
    return ScoredDay(
        venue="V",
        day=0,
        second=np.arange(seconds, dtype=np.int64),
        score=score * each,
        severe=severe * each,
        volatility=rv60,
        tau=each,
        ahead=ahead,
        after_break=np.zeros(seconds, np.bool_),
    )
