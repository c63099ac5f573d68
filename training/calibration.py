"""Where 0.1.0 had the calibrations: its pickled models name this module, for one more release."""

from training.models.calibration import CalibratedPipeline, Isotonic, Sigmoid

__all__ = ["CalibratedPipeline", "Isotonic", "Sigmoid"]
