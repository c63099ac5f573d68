"""The card of a variant in units of τ: what it has seen, its thresholds, its golden rows."""

import pytest

from serving.predictor import TOLERANCE
from signals.budgets import Choice, Load
from tests.training.made_up import made_up
from training.relative.card import GOLDEN_TAU, card_of, golden_of
from training.relative.evidence import LearnedFrom, fit_pair

EXAMPLES = made_up(20)
FILE = {"file": "minutes.csv", "sha256": "a" * 64, "licence": "MIT", "last": "2026-01-01T00:00:00Z"}
CHOICES = {
    "elevated": {2: Choice(None, None, "no_spike_threshold"), 8: Choice(0.3, Load(8, 9, 10))},
    "spike": {4: Choice(0.2, Load(4, 5, 6))},
}


def test_a_card_says_what_it_has_seen_and_for_whom() -> None:
    """Files with licence, a refused budget without θ, chances where nothing is known."""
    model = fit_pair(EXAMPLES)["ml"].served("ml")
    card = card_of(model, "ml", LearnedFrom(EXAMPLES, [FILE]), 6e-4, CHOICES, {"BitMEX": {}})
    assert (card["variant"], card["candidate"], card["default_tau"]) == ("ml", "relative", 6e-4)
    assert card["thresholds"] == {"elevated": {"2": None, "8": 0.3}, "spike": {"4": 0.2}}
    assert card["loads"]["elevated"]["2"]["refused"] == "no_spike_threshold"
    assert card["data"] == [FILE] and card["trained_recordings"] == ["a" * 64]
    assert card["windows"] == [60, 300, 900, 3600]
    assert card["base_rates"]["score"] == pytest.approx(EXAMPLES.spikes.mean())


def test_golden_rows_have_a_level_each_and_the_first_none() -> None:
    """A row without τ is scored by the default."""
    model = fit_pair(EXAMPLES)["ml"].served("ml")
    golden = golden_of(model, 6e-4)
    assert golden["tau"] == list(GOLDEN_TAU) and golden["tau"][0] is golden["tau"][2] is None
    for row, tau, score in zip(golden["rows"], golden["tau"], golden["scores"], strict=True):
        assert model.chances(row, tau or 6e-4).score == pytest.approx(score, abs=TOLERANCE)
    assert len(set(golden["scores"])) > 4
