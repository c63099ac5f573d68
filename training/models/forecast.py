"""Estimators of our own: a forecast of volatility that becomes a probability, and two plain rules.

They are scikit-learn classifiers, the last step of the pipelines in ``candidates``.
"""

from typing import Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit  # type: ignore[import-untyped]
from sklearn.base import BaseEstimator, ClassifierMixin

FLOOR: Final = 1e-5
"""Log return; below a tenth of a basis point the mid only steps on the grid of a cent."""
LEAST_SPREAD: Final = 0.02
"""Of a logistic error in log volatility: a forecast is never surer than a few per cent."""

Values = npt.NDArray[np.float64]
Weights = Literal["last", "equal", "fitted", "free"]


class _Scored(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Turns log odds into the two columns that scikit-learn wants."""

    classes_ = np.array([False, True])

    def decision_function(self, X: Any) -> Values:
        """Return the log odds of a spike."""
        raise NotImplementedError

    def predict_proba(self, X: Any) -> Values:
        """Return the probabilities of no spike and of a spike, [n, 2]."""
        chance = expit(self.decision_function(X))
        return np.column_stack([1.0 - chance, chance])

    def predict(self, X: Any) -> npt.NDArray[np.bool_]:
        """Return where a spike is likelier than not."""
        found: npt.NDArray[np.bool_] = self.decision_function(X) > 0.0
        return found


class VolatilityForecast(_Scored):
    """P(RV ≥ τ) from a forecast f of log RV whose errors are logistic with level and spread.

    X is [n, 2]: the logarithms of volatility over 60 s and over 300 s, in that order. ``fit``
    wants ``excess`` = ln(RV/τ) of each row, so that it learns from how far a row was from a
    spike and not only on which side; the labels themselves are not used.

    ``last`` is volatility over 60 s alone, ``equal`` half of each, ``fitted`` a share of each
    found by least squares. Their weights sum to 1, so that in a market twice as wild forecasts
    are twice as high, also where no row like it was seen. ``free`` is the textbook HAR, a plain
    regression on logarithms.
    (Corsi, A Simple Approximate Long-Memory Model of Realized Volatility, 2009)
    """

    def __init__(self, weights: Weights = "equal") -> None:
        self.weights = weights

    def fit(self, X: Any, y: Any, excess: Any = None) -> Self:
        """Find weights, level and spread; ``excess`` must be given."""
        logs, target = np.asarray(X, np.float64), np.asarray(excess, np.float64)
        self.n_features_in_ = logs.shape[1]
        self.coef_ = np.array(_weights(self.weights, logs, target), np.float64)
        return self.calibrate(logs, target)

    def calibrate(self, X: Any, excess: Any) -> Self:
        """Take level and spread from the errors on these rows; the weights stay."""
        error = np.asarray(excess, np.float64) - np.asarray(X, np.float64) @ self.coef_
        self.level_ = float(error.mean())
        self.spread_ = max(float(error.std()) * np.sqrt(3.0) / np.pi, LEAST_SPREAD)
        return self

    def decision_function(self, X: Any) -> Values:
        """Return the log odds: how far the forecast stands above τ, in spreads."""
        logs: Values = np.asarray(X, np.float64)
        found: Values = (logs @ self.coef_ + self.level_) / self.spread_
        return found


def _weights(kind: Weights, logs: Values, target: Values) -> tuple[float, float]:
    if kind == "last":
        return 1.0, 0.0
    if kind == "equal":
        return 0.5, 0.5
    if kind == "fitted":
        ahead, away = target - logs[:, 1], logs[:, 0] - logs[:, 1]
        away = away - away.mean()
        size = float(away @ away)
        share = min(max(float(away @ (ahead - ahead.mean())) / size, 0.0), 1.0) if size else 0.5
        return share, 1.0 - share
    design = np.column_stack([logs, np.ones(len(logs))])
    found = np.linalg.lstsq(design, target, rcond=None)[0]
    return float(found[0]), float(found[1])


class Ewma(BaseEstimator):  # type: ignore[misc]
    """Mix both windows as an exponential curve would: logs of 60 s and 300 s in, one log out.

    A row carries no single returns, so the curve has two steps: the last 60 s and the 240 s
    before. ``half_life`` is in seconds. The log comes out in both columns, so that the forecast
    after it is the plain one.
    """

    def __init__(self, half_life: float = 60.0) -> None:
        self.half_life = half_life

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn nothing."""
        self.n_features_in_ = np.asarray(X).shape[1]
        return self

    def transform(self, X: Any) -> Values:
        """Return the log of the mixed volatility (log return over 60 s), [n, 2]."""
        square = np.exp(2.0 * np.asarray(X, np.float64))
        near, far = 1.0 - 0.5 ** (60 / self.half_life), 0.5 ** (60 / self.half_life)
        far -= 0.5 ** (300 / self.half_life)
        before = np.maximum(square[:, 1] - square[:, 0], 0.0) / 4.0
        mixed = (near * square[:, 0] + far * before) / (near + far)
        log = 0.5 * np.log(np.maximum(mixed, FLOOR**2))
        return np.column_stack([log, log])


class ShareLogistic(_Scored):
    """A logistic of one standardised column: slope 1, offset such that the mean is the share.

    A slope fitted freely turns negative where one calm hour is all that is known.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Find the offset by halving."""
        z, share = np.asarray(X, np.float64)[:, 0], float(np.mean(y))
        self.n_features_in_ = 1
        self.coef_ = np.array([[1.0]])
        low, high = -100.0, 100.0
        for _ in range(100):
            middle = (low + high) / 2
            low, high = (middle, high) if float(expit(middle + z).mean()) < share else (low, middle)
        self.intercept_ = np.array([(low + high) / 2])
        return self

    def decision_function(self, X: Any) -> Values:
        """Return offset + z."""
        z: Values = np.asarray(X, np.float64)[:, 0]
        found: Values = z + self.intercept_[0]
        return found


class Rule(_Scored):
    """The plain rv60 rule: a spike follows where ln(rv60/τ) is 0 or more; nothing is fitted.

    X is [n, 1], the logarithm of volatility over 60 s; ``log_tau`` stands for one product's τ.
    The odds rv60 : τ rank as the rule does and are no probability anyone should believe.
    """

    def __init__(self, log_tau: float = 0.0) -> None:
        self.log_tau = log_tau

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn nothing."""
        self.n_features_in_ = np.asarray(X).shape[1]
        return self

    def decision_function(self, X: Any) -> Values:
        """Return ln(rv60/τ)."""
        found: Values = np.asarray(X, np.float64)[:, 0] - self.log_tau
        return found
