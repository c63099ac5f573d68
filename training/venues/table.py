"""All figures as lines for a reader: how often, how well, and what cannot be decided."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from training.venues.paired import LOSSES
from training.venues.share import share_lines

EVENTS: Final = {"score": "τ", "severe": "2τ"}
SECTIONS: Final = {
    "days": "Days, by the level that was theirs: the model beside the calibrated rv60 rule",
    "captures": "Captures, by the seed's level: the model beside the calibrated rv60 rule",
    "coinbase_alone": "Learned on Coinbase alone: beside the rule, and beside other venues",
}
NAMES: Final = {"brier": "Brier", "log_loss": "log loss"}


def judging_lines(found: Mapping[str, Any]) -> list[str]:
    """Return all figures as lines, section by section."""
    lines = ["Share of spikes, by the level's own days"]
    lines += [line for table in found["shares"] for line in share_lines(table)]
    for section, title in SECTIONS.items():
        lines += ["", title]
        lines += [line for each in found[section] for line in _judged(each)]
    return lines


def _judged(each: Mapping[str, Any]) -> Iterator[str]:
    for event, level in EVENTS.items():
        of = each[event]
        yield (
            f"{each['tested']}, learned from {each['learned']}, {level}: {of['seconds']} rows of"
            f" {of['parts']} parts, prevalence {of['prevalence']:.4f}"
        )
        yield f"    {'PR-AUC':<8}  {_pair(of['pr_auc'])}; ECE {_pair(of['ece'])}"
        for loss in LOSSES:
            yield _loss_line(loss, of[loss])
            for learned, gains in each.get("beside", {}).items():
                yield f"    {'':<8}  gain on {learned} {gain_text(gains[event][loss])}"


def _pair(of: Mapping[str, float | None]) -> str:
    return ", ".join(f"{who} {'none' if v is None else f'{v:.3f}'}" for who, v in of.items())


def _loss_line(loss: str, of: Mapping[str, Any]) -> str:
    said = ", ".join(f"{who} {of[who]:.4f}" for who in ("model", "rule", "base"))
    return f"    {NAMES[loss]:<8}  {said}; gain on the rule {gain_text(of['gain'])}"


def gain_text(gain: Mapping[str, Any]) -> str:
    """Return a gain with its verdict, and its interval, or each part where these are few."""
    if gain["low"] is None:
        each = ", ".join(f"{value:+.4f}" for value in gain["by_part"].values())
        return f"{gain['value']:+.4f} {gain['verdict']} (each part: {each})"
    return f"{gain['value']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}] {gain['verdict']}"
