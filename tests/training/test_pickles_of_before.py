"""Models that 0.1.0 pickled name their classes by its modules."""

import pickle

import numpy as np
import pytest

from training.models.calibration import CalibratedPipeline, Isotonic, Sigmoid
from training.models.forecast import Ewma, Rule, ShareLogistic, VolatilityForecast

OLD = {
    "training.calibration": (CalibratedPipeline, Isotonic, Sigmoid),
    "training.forecast": (Ewma, Rule, ShareLogistic, VolatilityForecast),
}


@pytest.mark.parametrize(("module", "named"), [(m, c) for m, each in OLD.items() for c in each])
def test_a_class_is_found_by_its_old_module(module: str, named: type) -> None:
    """A pickle that names the old module gives the class of today."""
    assert pickle.loads(f"c{module}\n{named.__name__}\n.".encode()) is named


def test_a_whole_model_is_read() -> None:
    """A model written under the old module's name scores as the one of today."""
    model = CalibratedPipeline(VolatilityForecast(), Sigmoid(1.5, -0.25))
    data = pickle.dumps(model, protocol=0)
    old = data.replace(b"training.models.", b"training.")
    assert old != data
    again = pickle.loads(old)
    assert type(again) is CalibratedPipeline
    scores = np.array([0.2, 0.7])
    assert again.calibrator(scores).tolist() == model.calibrator(scores).tolist()
