"""Made-up examples: chances that follow from the windows by known coefficients."""

import numpy as np

from training.venues.examples import Examples

MIDNIGHT = 1_700_006_400
DAY = MIDNIGHT // 86_400


def made_up(
    days: int = 6, a_day: int = 600, seed: int = 1, long: float = 1.0, name: str = "made up"
) -> Examples:
    """Return examples of whole days, 60 s apart, τ 1.

    What follows is log-normal around the 60 s window to the power 0.5 times the hour's to the
    power ``long``; without it the rule of 60 s is all there is to know.
    """
    chance, n = np.random.default_rng(seed), days * a_day
    logs = 0.8 * chance.normal(size=(n, 4)) - 0.6
    ahead = np.exp(0.5 * logs[:, 0] + long * logs[:, 3] + 0.4 * chance.normal(size=n))
    scale = np.sqrt(np.array([60, 300, 900, 3600]) / 60)
    day = np.repeat(np.arange(days), a_day)
    second = MIDNIGHT + day * 86_400 + np.tile(np.arange(a_day), days) * 60 + 59
    return Examples(name, second, np.exp(logs) * scale, np.ones(n), ahead, DAY + day)
