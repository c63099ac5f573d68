"""The card of a variant in units of τ: what it has seen, what it was judged on, its thresholds."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import to_builtins

from featurizer.features import FEATURES_DIGEST
from serving.control import Variant
from serving.relative import WINDOWS, Relative
from signals.budgets import Choices, card
from training.models.golden import golden_rows
from training.relative.evidence import LearnedFrom

TITLES: Final[Mapping[Variant, str]] = {
    "ml": "volatility over 60, 300, 900 and 3,600 s in units of τ, logistic",
    "baseline": "volatility over 60 s in units of τ, logistic: the calibrated rule",
}
GOLDEN_TAU: Final = (None, 3e-4, None, 6e-4, 2e-4, 1e-4, 5e-5, 2.5e-4)
"""Of the golden rows: the card's default, and levels from below to above what they show."""
NOTES: Final = (
    "A score is the chance that the volatility of the next 60 s reaches the product's level τ of"
    " that time, severe that it reaches 2τ; for any product that has a level.",
    "It does not foresee single spikes: nearly every start of a state comes when the volatility"
    " is at its level already.",
    "Learned on Coinbase's own data alone: on days of other venues it was not worse at τ than what"
    " was learned there, at 2τ a little worse on BitMEX and undecided elsewhere.",
    "θ are from days of other venues, all together, that it has seen nothing of.",
)
RULES: Final = {
    "spike": "volatility of the next 60 s >= τ of the row",
    "severe": "volatility of the next 60 s >= 2τ of the row",
    "threshold": "the lowest θ such that it and every higher one starts at most so often a day",
    "windows": "those before the first unknown one; where none is known, the base rates",
}


def card_of(
    model: Relative,
    variant: Variant,
    learned: LearnedFrom,
    default_tau: float,
    choices: Mapping[str, Choices],
    judged: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the whole card; equal for equal data, so that it is part of the digest."""
    return {
        "variant": variant,
        "candidate": candidate_of(variant),
        "title": TITLES[variant],
        "dialect": "advanced",
        "features_digest": FEATURES_DIGEST,
        "default_tau": default_tau,
        "thresholds": card(choices),
        "base_rates": model.document()["base_rates"],
        "windows": list(WINDOWS[: len(model.score)]),
        "dataset_digest": learned.digest,
        "notes": list(NOTES),
        "rules": dict(RULES),
        "loads": to_builtins(choices, str_keys=True),
        "judged": dict(judged),
        "data": [dict(each) for each in learned.files],
        "trained_recordings": [each["sha256"] for each in learned.files],
        "golden": golden_of(model, default_tau),
    }


def candidate_of(variant: Variant) -> str:
    """Return the name of the folder in a run: ``baseline``, or ``relative``."""
    return "baseline" if variant == "baseline" else "relative"


def golden_of(model: Relative, default_tau: float) -> dict[str, Sequence[Any]]:
    """Return golden rows, τ of each (null: the default) and both chances."""
    rows = golden_rows()
    said = [
        model.chances(row, default_tau if tau is None else tau)
        for row, tau in zip(rows, GOLDEN_TAU, strict=True)
    ]
    return {
        "rows": rows,
        "tau": list(GOLDEN_TAU),
        "scores": [each.score for each in said],
        "severe": [each.severe for each in said],
    }
