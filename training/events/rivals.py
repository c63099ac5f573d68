"""The rows that have chances: the model, and what stands beside it, calibrated by the same fit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from serving.relative import WINDOWS
from training.external.columns import Numbers
from training.models.relative import ChancesOf, RelativeFit, fit_relative
from training.venues.examples import Examples

MODEL: Final = "model"
RV60: Final = "rv60"

View = Callable[[Examples], Examples]
"""What a row looks at, in place of the windows."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A calibrated row: its fit, and what it looks at."""

    fit: RelativeFit
    view: View

    def chances(self, examples: Examples) -> ChancesOf:
        """Return both chances of each example."""
        return self.fit.chances(self.view(examples))


def fit_rivals(learned: Examples) -> dict[str, Rival]:
    """Fit all rows on the same examples; raises ``FitError`` for a single class."""
    return {
        name: Rival(fit_relative(view(learned), windows), view)
        for name, (view, windows) in ROWS.items()
    }


def _windows(examples: Examples) -> Examples:
    return examples


def _five_minutes(examples: Examples) -> Examples:
    return _alone(examples, examples.volatility[:, 1] / np.sqrt(WINDOWS[1] / WINDOWS[0]))


def _weighted(examples: Examples) -> Examples:
    return _alone(examples, examples.weighted)


def _alone(examples: Examples, volatility: Numbers) -> Examples:
    """Return the examples with one volatility (log return over 60 s) in place of all windows."""
    others = np.full((len(examples), len(WINDOWS) - 1), np.nan)
    return replace(examples, volatility=np.column_stack([volatility, others]))


ROWS: Final[Mapping[str, tuple[View, int]]] = {
    MODEL: (_windows, len(WINDOWS)),
    RV60: (_windows, 1),
    "rv300": (_five_minutes, 1),
    "ewma": (_weighted, 1),
}
"""What each looks at, and how many of its windows."""
