"""What is stored of a prediction beside the same computed again: equal to the bit, or not."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from featurizer.row import FeatureRow
from monitor.outcome import Outcome
from scorer.prediction import Prediction, Shadow, prediction_id
from scorer.variants import reached

ROW: Final = (
    "row_id",
    "mid",
    "coverage",
    "tau",
    "tau_status",
    "returns",
    "after_break",
    "beat",
)
CARRIED: Final = ("row_id", "mid", "coverage", "tau_status", "after_break")
"""What a prediction takes from its row as it is."""
SAID: Final = ("score", "severe", "reason", "tau", "threshold", "spike", "thresholds", "notes")
"""What a prediction has of its model."""
SHADOW: Final = ("score", "severe", "threshold", "spike", "thresholds")
"""What a shadow has of its model."""
OUTCOME: Final = ("label", "realized_volatility", "matured_us", "reason", "tau", "last_of_second")


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A value as it is stored and as it was recomputed; ``equal`` is None where unknown.

    ``why`` says then what is not known.
    """

    name: str
    stored: Any = None
    recomputed: Any = None
    equal: bool | None = None
    why: str = ""


def compared(name: str, stored: Any, again: Any, doubt: str = "") -> Check:
    """Compare two values to the bit; where there is ``doubt``, a difference proves nothing.

    >>> compared("tau", 0.1, 0.1).equal, compared("tau", 0.0, -0.0).equal
    (True, False)
    """
    equal = msgspec.json.encode(stored) == msgspec.json.encode(again)
    if not equal and doubt:
        return Check(name=name, stored=stored, recomputed=again, why=doubt)
    return Check(name=name, stored=stored, recomputed=again, equal=equal)


def of_row(row: FeatureRow | None, again: FeatureRow | None, doubt: str = "") -> list[Check]:
    """Compare a row with the recomputed one, feature by feature; None is one that is not known."""
    if row is None or again is None:
        missing = "the row is no longer in features" if row is None else doubt
        return [Check(name="row", why=missing or "the row cannot be recomputed")]
    if row.schema_version != again.schema_version:
        doubt = f"a row of schema {row.schema_version}, made by other definitions"
    named = [compared(n, getattr(row, n), getattr(again, n), doubt) for n in ROW]
    known = again.features
    return named + [compared(n, row.features.get(n), known[n], doubt) for n in known]


def of_prediction(prediction: Prediction, row: FeatureRow | None) -> list[Check]:
    """Compare what a prediction says with its row and with itself."""
    p = prediction
    name = prediction_id(p.row_id, p.digest)
    spike = reached(p.score if p.thresholds is None else p.severe, p.threshold)
    checks = [compared("prediction_id", p.prediction_id, name), compared("spike", p.spike, spike)]
    if row is None:
        return checks
    rv60 = row.features.get("realized_volatility_60s")
    checks.append(compared("realized_volatility_60s", p.realized_volatility_60s, rv60))
    return checks + [compared(n, getattr(p, n), getattr(row, n)) for n in CARRIED]


def of_model(prediction: Prediction, again: Prediction) -> list[Check]:
    """Compare with the prediction that the model of the same digest makes of the row now."""
    return [compared(n, getattr(prediction, n), getattr(again, n)) for n in SAID]


def of_shadow(shadow: Shadow, again: Prediction) -> list[Check]:
    """Compare with what the model of the same digest says now, were it the one that serves."""
    name = shadow.model_variant
    return [compared(f"{name}'s {n}", getattr(shadow, n), getattr(again, n)) for n in SHADOW]


def of_outcome(stored: Outcome | None, again: Outcome | None) -> list[Check]:
    """Compare an outcome with the one recomputed from the ticks that follow."""
    if stored is None or again is None:
        why = "not matured yet" if stored is None else "the ticks that decide it are not there"
        if again is not None:
            why = "matured, but not in outcomes: the monitor has not told it yet, or it expired"
        return [Check(name="outcome", stored=stored, recomputed=again, why=why)]
    return [compared(n, getattr(stored, n), getattr(again, n)) for n in OUTCOME]


def differing(checks: Sequence[Check]) -> list[str]:
    """Return the names of what differs."""
    return [check.name for check in checks if check.equal is False]
