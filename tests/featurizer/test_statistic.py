"""What the definitions compute, held by the digests that stand in ``FEATURES``."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from featurizer import engine
from featurizer.engine import FeatureEngine
from featurizer.features import FEATURES, Feature
from featurizer.row import FeatureRow
from featurizer.statistic import PRICE_VELOCITY, REALIZED_VOLATILITY, SPREAD_MEAN, Statistic
from featurizer.windows import LONGEST, plan_of
from tests.featurizer.market import market

EVERY = pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
DIGITS = 12
SEED, STEPS, LONG_STEPS = 7, 900, 3_000
"""Whoever changes the market changes every digest, and with it what models are accepted."""


def computed() -> dict[str, str]:
    """The digest of each feature: of its values on the market, rounded, in the order of ticks."""
    short, long = _rows(STEPS), _rows(LONG_STEPS)
    return {
        f.name: _hash([row.features[f.name] for row in (long if f.window > LONGEST else short)])
        for f in FEATURES
    }


def _rows(steps: int) -> list[FeatureRow]:
    engine = FeatureEngine()
    rows = (engine.update(event) for event in market(SEED, steps))
    return [row for row in rows if row is not None and not row.beat]


def _hash(values: list[float | None]) -> str:
    said = ("null" if value is None else f"{value:.{DIGITS}g}" for value in values)
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    """What ``FEATURES`` compute."""
    return computed()


@EVERY
def test_the_digest_of_a_feature_is_that_of_what_it_computes(
    feature: Feature, found: dict[str, str]
) -> None:
    """A definition that computes otherwise, however little, is another one."""
    digest = found[feature.name]
    assert feature.digest == digest, f'{feature.name} computes what has the digest "{digest}"'


@pytest.mark.parametrize(
    ("changed", "how"),
    [
        (REALIZED_VOLATILITY, lambda statistic: replace(statistic, value=lambda sum_, n, w: sum_)),
        (PRICE_VELOCITY, lambda statistic: replace(statistic, term=lambda slot: slot.log_return)),
        (SPREAD_MEAN, lambda statistic: replace(statistic, with_now=False)),
        (
            SPREAD_MEAN,
            lambda statistic: replace(
                statistic, value=lambda sum_, n, w: statistic.value(sum_, n, w) * (1 + 1e-11)
            ),
        ),
    ],
    ids=["value", "term", "closed", "eleventh digit"],
)
def test_a_computation_that_changes_has_another_digest(
    changed: Statistic,
    how: Callable[[Statistic], Statistic],
    found: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each digest of the changed statistic differs, though its words are the same."""
    other = how(changed)
    table = [replace(f, statistic=other) if f.statistic is changed else f for f in FEATURES]
    monkeypatch.setattr(engine, "PLAN", plan_of(table))
    now = computed()
    differ = {f.name for f in FEATURES if now[f.name] != found[f.name]}
    assert differ == {f.name for f in FEATURES if f.statistic is changed}


def test_the_last_bits_are_not_in_the_digest() -> None:
    """Another machine's logarithm may end otherwise; that is the same definition."""
    assert _hash([0.1, None]) == _hash([0.1 + 1e-16, None]) != _hash([0.1 + 1e-12, None])
