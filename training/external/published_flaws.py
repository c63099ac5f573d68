"""Why the published figure is void: each check a number of the published file and a sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score

from featurizer.labels import HORIZON
from featurizer.slots import MICROSECONDS
from training.data.thresholds import Flags, Scores, threshold_of
from training.external.published_figure import (
    THRESHOLD,
    PublishedTable,
    alarms_at,
    published_model,
    published_scores,
    reproduce,
)

BREAK_US: Final = HORIZON * MICROSECONDS
"""Rows further apart than the label's own horizon share no second of it."""
WINDOW: Final = 55
"""Rows whose returns the published label takes for "the next 60 s"; found by recomputing it."""
CUTS: Final = (0.4, 0.5, 0.6, 0.7, 0.75)
THRESHOLDS: Final = tuple(round(0.05 * step, 2) for step in range(1, 20))
COLUMN: Final = "price_std_300s"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One reason: ``shown`` is the number, ``sentence`` what it means, ``numbers`` all behind it.

    ``holds`` says whether the file at hand shows what the sentence says.
    """

    name: str
    shown: str
    sentence: str
    holds: bool
    numbers: dict[str, Any]


def breaks_of(time_us: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Return the positions of the last rows before a break of the recording."""
    return np.flatnonzero(np.diff(time_us) > BREAK_US)


def before_breaks(published: PublishedTable) -> Flaw:
    """Most positives are the last rows before a break of the recording."""
    last = breaks_of(published.time_us)
    near = np.zeros(len(published), dtype=np.bool_)
    for at in last:
        near[max(0, at + 1 - WINDOW) : at + 1] = True
    hits, total = int((near & published.positive).sum()), int(published.positive.sum())
    gaps = (np.diff(published.time_us)[last] / MICROSECONDS).round(1).tolist()
    return Flaw(
        "positives_lie_before_breaks",
        f"{hits} of {total}",
        f"positives are among the {WINDOW} rows before a break of the recording"
        f" (breaks of {', '.join(f'{gap:.0f}' for gap in gaps)} s)",
        hits > 0.95 * total,
        {"before_breaks": hits, "positives": total, "gap_seconds": gaps},
    )


def label_of_rows(published: PublishedTable, without: npt.NDArray[np.intp]) -> Scores:
    """Recompute the published "future volatility": the deviation of the next rows' returns.

    Returns into the rows ``without`` are left out. NaN where the file ends too early.
    """
    returns = np.diff(published.price) / published.price[:-1]
    returns[without - 1] = np.nan
    found = np.full(len(published), np.nan)
    for at in range(len(published) - WINDOW):
        ahead = returns[at : at + WINDOW]
        found[at] = np.std(ahead[~np.isnan(ahead)], ddof=1)
    return found


def jump_makes_the_label(published: PublishedTable) -> Flaw:
    """Without the returns that jump a break, no positive is left."""
    jumps = breaks_of(published.time_us) + 1
    limit = float(published.future[published.positive].min())
    whole = label_of_rows(published, jumps[:0])
    known = ~np.isnan(whole)
    same = int(((whole[known] >= limit * (1 - 1e-9)) == published.positive[known]).sum())
    left = int((label_of_rows(published, jumps)[known] >= limit * (1 - 1e-9)).sum())
    return Flaw(
        "one_return_makes_the_label",
        f"{left} of {int(published.positive[known].sum())}",
        f"positives are left once the {len(jumps)} returns that jump a break are left out"
        f" (the label, recomputed from the prices, agrees in {same} of {int(known.sum())} rows)",
        left == 0 and same == int(known.sum()),
        {"left": left, "agree": same, "recomputed": int(known.sum()), "jumps": len(jumps)},
    )


def windows_of_rows(published: PublishedTable) -> Flaw:
    """The label's window is a number of rows, whatever time these span."""
    span = (published.time_us[WINDOW:] - published.time_us[:-WINDOW]) / MICROSECONDS
    middle, longest = float(np.median(span)), float(span.max())
    near = int((np.abs(span - HORIZON) < HORIZON / 10).sum())
    return Flaw(
        "windows_are_rows",
        f"{span.min():.1f}–{longest:.0f} s",
        f'is what its "next 60 s" spans: {WINDOW} rows each (median {middle:.1f} s; {near} of'
        f" {len(span)} are within 6 s of 60)",
        longest > 2 * HORIZON,
        {"seconds_min": float(span.min()), "seconds_median": middle, "seconds_max": longest},
    )


def single_column(published: PublishedTable) -> Flaw:
    """One column alone, never fitted, ranks the test rows better than the model."""
    test = slice(published.cut, None)
    column = np.nan_to_num(published.features[test, published.names.index(COLUMN)])
    alone = float(average_precision_score(published.positive[test], -column))
    model = reproduce(published)["pr_auc"]
    return Flaw(
        "one_column_ranks_as_well",
        f"{alone:.4f}",
        f"is the PR-AUC of −{COLUMN} alone, without any fit (the model: {model:.4f})",
        alone >= 0.9 * model,
        {"pr_auc": alone, "column": COLUMN},
    )


def _moved(published: PublishedTable, cut: int, purge: bool) -> dict[str, Any]:
    """Return PR-AUC with the cut elsewhere; None where the training part has a single class.

    Scores may all round to 1.0, which leaves no order: then their log odds still have one.
    """
    train = np.arange(len(published)) < cut
    if purge:
        train &= published.time_us + BREAK_US <= published.time_us[cut]
    test = np.arange(len(published)) >= cut
    if len(np.unique(published.positive[train])) != 2:
        return {"pr_auc": None, "pr_auc_of_log_odds": None, "equal_scores": False}
    model = published_model(published.features, published.positive, train)
    values = np.nan_to_num(published.features[test], nan=0.0)
    score, odds = model.predict_proba(values)[:, 1], model.decision_function(values)
    return {
        "pr_auc": float(average_precision_score(published.positive[test], score)),
        "pr_auc_of_log_odds": float(average_precision_score(published.positive[test], odds)),
        "equal_scores": len(np.unique(score)) == 1,
    }


def _cuts(published: PublishedTable, purge: bool) -> list[dict[str, Any]]:
    return [
        {"cut": share, "prevalence": float(published.positive[cut:].mean())}
        | _moved(published, cut, purge)
        for share in CUTS
        for cut in [round(share * len(published))]
        if 0.0 < published.positive[cut:].mean() < 1.0
    ]


def _shown(entry: dict[str, Any]) -> str:
    value = "none" if entry["pr_auc"] is None else f"{entry['pr_auc']:.2f}"
    return f"{value} at {entry['cut']:.0%} (prevalence {entry['prevalence']:.2f})"


def moved_cuts(published: PublishedTable) -> Flaw:
    """The figure hangs on where the rows are cut."""
    found = _cuts(published, purge=False)
    values = [entry["pr_auc"] for entry in found if entry["pr_auc"] is not None]
    low, high = min(values, default=np.nan), max(values, default=np.nan)
    return Flaw(
        "moved_cuts",
        f"{low:.2f}–{high:.2f}",
        f"is PR-AUC with the cut elsewhere: {'; '.join(map(_shown, found))}",
        bool(high - low > 0.1),
        {"cuts": found},
    )


def purged_cuts(published: PublishedTable) -> Flaw:
    """Once no training label reaches into the test part, the prevalence is what is left."""
    found = _cuts(published, purge=True)
    plain = [entry for entry in found if entry["pr_auc"] is not None]
    bare = [entry for entry in plain if abs(entry["pr_auc"] - entry["prevalence"]) < 1e-9]
    equal = sum(entry["equal_scores"] for entry in bare)
    beneath = ", ".join(f"{entry['pr_auc_of_log_odds']:.2f}" for entry in bare)
    return Flaw(
        "purge_leaves_prevalence",
        f"{len(bare)} of {len(plain)}",
        f"cuts give exactly the prevalence once training rows less than {HORIZON} s before the cut"
        f" are purged: {'; '.join(map(_shown, found))}. In {equal} of them all test rows score the"
        f" same, so no order is left; the log odds beneath still have one ({beneath})",
        len(bare) > len(plain) / 2,
        {"cuts": found, "exactly_prevalence": len(bare)},
    )


def threshold_on_test(published: PublishedTable) -> Flaw:
    """The threshold was read off the test labels, and scores of 0 and 1 hide it."""
    train = np.arange(len(published)) < published.cut
    everything = np.ones(len(published), dtype=np.bool_)
    score = published_scores(published.features, published.positive, train, everything)
    positive = published.positive
    same = [
        t for t in THRESHOLDS if _f1(positive, score, ~train, t) == _best(positive, score, train)
    ]
    own = threshold_of(score[train], positive[train])
    honest = alarms_at(positive[~train], score[~train], own)
    return Flaw(
        "threshold_picked_on_test",
        f"{len(same)} of {len(THRESHOLDS)}",
        f"thresholds share the best F1 on the test labels, where {THRESHOLD:g} was picked: the"
        " scores are all but 0 or 1, so the choice could not show"
        f" (the training rows alone give {own:.4f}, F1 {honest['f1']:.4f})",
        len(same) > len(THRESHOLDS) / 2 and THRESHOLD in same,
        {"same_f1": list(same), "from_training": honest},
    )


def _f1(positive: Flags, score: Scores, rows: Flags, threshold: float) -> float:
    return float(alarms_at(positive[rows], score[rows], threshold)["f1"] or 0.0)


def _best(positive: Flags, score: Scores, train: Flags) -> float:
    return max(_f1(positive, score, ~train, threshold) for threshold in THRESHOLDS)


def few_events(published: PublishedTable) -> Flaw:
    """Many positive rows are few events."""
    test = published.positive[published.cut :]
    starts = np.diff(np.concatenate([[0], published.positive.astype(np.int8)])) == 1
    events = int(starts[published.cut :].sum())
    return Flaw(
        "few_events",
        f"{events}",
        f"event(s) make the {int(test.sum())} positives of the test part; a figure of four digits"
        " from so few says nothing about the next one",
        events < 5,
        {"events_test": events, "events": int(starts.sum()), "positives_test": int(test.sum())},
    )


def unknown_as_zero(published: PublishedTable) -> Flaw:
    """Unknown values became 0, and 0 was a hint."""
    rows = np.isnan(published.features).any(axis=1)
    positive = int(published.positive[rows].sum())
    return Flaw(
        "unknown_as_zero",
        f"{positive} of {int(rows.sum())}",
        f"rows with unknown values (here set to 0, as published) are positive:"
        f" {', '.join(map(str, np.flatnonzero(rows).tolist())) or 'none'}, each the first after a"
        " break",
        positive == int(rows.sum()),
        {"rows": np.flatnonzero(rows).tolist()},
    )


FLAWS: Final[tuple[Callable[[PublishedTable], Flaw], ...]] = (
    before_breaks,
    jump_makes_the_label,
    windows_of_rows,
    single_column,
    moved_cuts,
    purged_cuts,
    threshold_on_test,
    few_events,
    unknown_as_zero,
)
