"""What stands beside the model looks at one volatility, calibrated by the same fit."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.made_up import made_up
from training.errors import FitError
from training.events.rivals import MODEL, ROWS, RV60, fit_rivals
from training.models.relative import fit_relative


def test_the_model_and_rv60_are_the_pair_that_ships() -> None:
    """The same coefficients, from four windows and from one."""
    learned = made_up(20)
    found = fit_rivals(learned)
    assert list(found) == [MODEL, RV60, "rv300", "ewma"]
    for row, windows in ((MODEL, 4), (RV60, 1)):
        expected = fit_relative(learned, windows).chances(learned)
        assert np.array_equal(found[row].chances(learned).score, expected.score)


@pytest.mark.parametrize(("row", "changed"), [("rv300", "volatility"), ("ewma", "weighted")])
def test_each_looks_at_its_own_volatility_alone(row: str, changed: str) -> None:
    """Its chances change with it, and with nothing else."""
    learned = made_up(20)
    rival = fit_rivals(learned)[row]
    before = rival.chances(learned)
    column = (slice(None), 1) if changed == "volatility" else slice(None)
    own, other = getattr(learned, changed).copy(), learned.volatility.copy()
    own[column] *= 2.0
    other[:, 0] *= 2.0
    assert not np.array_equal(rival.chances(replace(learned, **{changed: own})).score, before.score)
    assert np.array_equal(rival.chances(replace(learned, volatility=other)).score, before.score)


def test_five_minutes_are_brought_to_one() -> None:
    """A volatility that has been the same for five minutes says of both windows the same."""
    learned = made_up(20)
    flat = replace(learned, volatility=np.sqrt([1, 5, 15, 60]) * learned.volatility[:, :1])
    view, _ = ROWS["rv300"]
    assert view(flat).volatility[:, 0] == pytest.approx(flat.volatility[:, 0])


def test_a_single_class_is_refused() -> None:
    """Nothing is learned from what never came."""
    learned = made_up(2)
    with pytest.raises(FitError, match="single class"):
        fit_rivals(replace(learned, ahead=0.0 * learned.ahead))
