"""Both chances in units of τ: coefficients that are found again, prefixes, bounds."""

from dataclasses import replace

import numpy as np
import pytest

from featurizer.features import NAMES
from serving.relative import VOLATILITIES
from tests.training.made_up import made_up
from training.errors import FitError
from training.models.relative import fit_relative, inputs


def test_the_windows_that_count_are_found() -> None:
    """The hour's has twice the coefficient of the minute's, those between have none."""
    score = fit_relative(made_up(60)).sets[3][:, 0]
    assert score[4] / score[1] == pytest.approx(2.0, rel=0.1)
    assert np.abs(score[2:4]).max() < 0.1 * score[4]


def test_what_is_said_comes() -> None:
    """On other days the mean chance is the share that came, of both events."""
    fit, other = fit_relative(made_up(40)), made_up(40, seed=2)
    said = fit.chances(other)
    assert said.score.mean() == pytest.approx(other.spikes.mean(), abs=0.02)
    assert said.severe.mean() == pytest.approx(other.severe.mean(), abs=0.01)


def test_the_known_prefix_decides() -> None:
    """Beyond the first unknown window nothing counts; without any it is the base rate."""
    examples = made_up()
    fit = fit_relative(examples)
    holed = examples.volatility.copy()
    holed[:, 1] = np.nan
    other = replace(examples, volatility=np.where(np.isnan(holed), np.nan, 5 * holed))
    other.volatility[:, 0] = examples.volatility[:, 0]
    rule = fit_relative(examples, windows=1).chances(examples)
    assert np.array_equal(fit.chances(other).score, rule.score)
    unknown = replace(examples, volatility=np.full_like(holed, np.nan))
    assert fit.chances(unknown).score == pytest.approx(examples.spikes.mean())


def test_units_of_the_level_alone_count() -> None:
    """A market three times as wild, with a level three times as high, has the same chances."""
    examples = made_up()
    fit = fit_relative(examples)
    wilder = replace(examples, volatility=3 * examples.volatility, tau=3 * examples.tau)
    assert fit.chances(wilder).score == pytest.approx(fit.chances(examples).score, rel=1e-12)


def test_chances_are_bounded_and_severe_is_never_above_score() -> None:
    """From a standing market to a hundred times τ."""
    examples = made_up()
    volatility = np.outer(np.geomspace(1e-9, 1e3, len(examples)), np.ones(4))
    extreme = replace(examples, volatility=volatility)
    said = fit_relative(examples).chances(extreme)
    assert (said.score.min(), said.score.max()) == (0.02, 0.95)
    assert said.severe.min() >= 0.001
    assert np.all(said.severe <= said.score)
    assert inputs(extreme).min() == pytest.approx(np.log(0.02))


def test_a_single_class_is_refused() -> None:
    """Days without a severe spike teach nothing of one."""
    calm = made_up()
    with pytest.raises(FitError, match="made up: found a single class"):
        fit_relative(replace(calm, ahead=np.minimum(calm.ahead, 1.9)))


def test_what_counts_twice_is_as_if_it_stood_twice() -> None:
    """A weight is a number of examples; one of 0 is no example."""
    examples = made_up()
    weight = np.arange(len(examples)) % 3
    weighed = fit_relative(examples, weight=weight.astype(np.float64))
    repeated = fit_relative(examples.take(np.repeat(np.arange(len(examples)), weight)))
    for one, other in zip(weighed.sets, repeated.sets, strict=True):
        assert one == pytest.approx(other, rel=1e-6, abs=1e-8)
    assert weighed.base == pytest.approx(repeated.base)


def test_what_serves_says_the_same() -> None:
    """Arrays and the model of one row agree for every number of known windows."""
    examples = made_up(2)
    volatility = examples.volatility.copy()
    volatility[np.arange(len(examples))[:, None] % 5 <= np.arange(4)] = np.nan
    examples = replace(examples, volatility=volatility)
    fit = fit_relative(made_up())
    said, served = fit.chances(examples), fit.served("ml")
    positions = [NAMES.index(name) for name in VOLATILITIES]
    for at, values in enumerate(volatility[:50].tolist()):
        row = [None] * len(NAMES)
        for position, value in zip(positions, values, strict=True):
            row[position] = value
        found = served.chances(row, float(examples.tau[at]))
        assert found.score == pytest.approx(said.score[at], rel=1e-12)
        assert found.severe == pytest.approx(said.severe[at], rel=1e-12)
