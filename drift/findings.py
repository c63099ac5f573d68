"""What is found about each product: its window beside the rows of the model that serves it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from drift.comparison import WINDOW_SECONDS, Comparison, Report, State, compare
from drift.inputs import compare_inputs
from drift.models import PromotedModel, PromotedModels
from drift.month import packaged_month
from drift.window import Window

STALE_MS: Final = WINDOW_SECONDS * 1_000
"""A newest row that the broker took so long ago tells of no present."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One product; ``model`` is the one whose scores stand in the window, where it is known.

    Prevalences are shares of spikes, None where unknown; ``labelled`` counts seconds.
    """

    comparison: Comparison
    model: PromotedModel | None = None
    live_prevalence: float | None = None
    training_prevalence: float | None = None
    labelled: int = 0
    feed: str = ""
    end_us: int | None = None

    @property
    def product(self) -> str:
        """The product."""
        return self.comparison.product


def findings_of(
    windows: Mapping[str, Window], models: PromotedModels, now_ms: int, report: Report
) -> list[Finding]:
    """Judge every product that has rows or a reference, by name."""
    return [
        _finding(product, windows.get(product), models, now_ms, report)
        for product in sorted(windows.keys() | models.products)
    ]


def _finding(
    product: str, window: Window | None, models: PromotedModels, now_ms: int, report: Report
) -> Finding:
    if window is None:
        return Finding(Comparison(product, "no_rows"))
    newest = window.newest
    model = models.by_digest.get(newest.digest) if newest is not None else None
    reference = model.reference if model is not None else None
    own = reference.products.get(product) if reference is not None else None
    state = _missing(window, model, now_ms)
    if state is not None or model is None:
        comparison = Comparison(product, state or "other_model", len(window.rows))
    else:
        comparison = _compare(product, window, model, report)
    return Finding(
        comparison,
        model,
        window.prevalence if comparison.state != "stale" else None,
        own.prevalence if own is not None else None,
        len(window.labels),
        window.feed,
        window.end_us,
    )


def _compare(product: str, window: Window, model: PromotedModel, report: Report) -> Comparison:
    """Compare the day of a model in units of τ, the last hour of one that sees features."""
    if model.windows:
        return compare_inputs(product, window.day, model.windows, packaged_month(), report)
    own = model.reference.products.get(product) if model.reference is not None else None
    if own is None:
        return Comparison(product, "no_reference", len(window.rows))
    return compare(product, window.columns(model.info.digest), own, report)


def _missing(window: Window, model: PromotedModel | None, now_ms: int) -> State | None:
    if now_ms - window.appended_ms > STALE_MS:
        return "stale"
    if window.newest is None:
        return "no_predictions"
    return "other_model" if model is None else None
