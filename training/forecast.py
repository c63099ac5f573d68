"""Where 0.1.0 had the forecasts: its pickled models name this module, for one more release."""

from training.models.forecast import Ewma, Rule, ShareLogistic, VolatilityForecast

__all__ = ["Ewma", "Rule", "ShareLogistic", "VolatilityForecast"]
