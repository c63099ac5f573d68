"""The names by which models in MLflow that 0.1.0 logged ask for ``serving.predictor``."""

from serving.predictor import RowPredictor as RowScorer
from serving.predictor import open_predictor as open_scorer

__all__ = ["RowScorer", "open_scorer"]
