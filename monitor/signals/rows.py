"""What the machine of states takes of one prediction."""

from scorer.prediction import Prediction
from signals.row import Budget, Row


def row_of(prediction: Prediction, budget: Budget) -> Row:
    """Return a prediction as the machine takes it, with θ of the budget in use."""
    return Row(
        product_id=prediction.product_id,
        feed=prediction.feed,
        time_us=prediction.time_us,
        trade_id=prediction.trade_id,
        prediction_id=prediction.prediction_id,
        received_us=prediction.received_us,
        score=prediction.score,
        severe=prediction.severe,
        reason=prediction.reason,
        realized_volatility_60s=prediction.realized_volatility_60s,
        tau=prediction.tau,
        tau_status=prediction.tau_status,
        after_break=prediction.after_break,
        late=prediction.late,
        variant=prediction.model_variant,
        digest=prediction.digest,
        features_digest=prediction.features_digest,
        thresholds=budget.thresholds({**(prediction.thresholds or {})}),
    )
