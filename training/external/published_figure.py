"""The figure this project started from: PR-AUC 0.8917, reproduced as it was made.

Nothing here evaluates a model of ours, and nothing here is served. This is the one place where an
unknown value becomes 0: it did so where the figure was published.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from training.data.thresholds import Flags, Scores
from training.external.columns import Columns, Numbers, Times, both_classes, read_columns

NOT_FEATURES: Final = frozenset(
    {
        "timestamp",
        "product_id",
        "price",
        "best_bid",
        "best_ask",
        "future_volatility",
        "label",
        "volatility_spike",
    }
)
REQUIRED: Final = ("timestamp", "price", "future_volatility", "label", "price_std_300s")
TRAINING_PART: Final = 0.7
"""Share of the rows, from the first, that the published model was fitted on."""
THRESHOLD: Final = 0.10


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """The published table: one row a tick, in order of time.

    ``features`` is [n, columns] with NaN where the file has none; ``time_us`` epoch
    microseconds; ``future`` the file's own "volatility of the next 60 s"; ``positive`` its label.
    """

    file: str
    names: tuple[str, ...]
    features: Numbers
    time_us: Times
    price: Numbers
    future: Numbers
    positive: Flags

    def __len__(self) -> int:
        return len(self.time_us)

    @property
    def cut(self) -> int:
        """The number of rows in the published training part."""
        return round(TRAINING_PART * len(self))


def read_published(path: Path) -> PublishedTable:
    """Read the published table.

    Raises:
        DatasetError: names file, row and reason if the table is empty, lacks a column, runs
            backwards, has an unknown or infinite value outside its windows, or a single class.
    """
    columns = read_columns(path, REQUIRED)
    time_us = columns.times("timestamp")
    columns.in_order("timestamp", time_us)
    label = columns.numbers("label")
    columns.refuse((label != 0) & (label != 1), "label", "0 or 1")
    both_classes(columns.file, label == 1)
    names = _feature_names(columns)
    return PublishedTable(
        file=columns.file,
        names=names,
        features=np.column_stack([columns.numbers(name, known=False) for name in names]),
        time_us=time_us,
        price=columns.numbers("price"),
        future=columns.numbers("future_volatility"),
        positive=label == 1,
    )


def _feature_names(columns: Columns) -> tuple[str, ...]:
    """Return the numeric columns that the published model took, in the file's order."""
    return tuple(name for name in columns.values if name not in NOT_FEATURES)


def published_scores(features: Numbers, positive: Flags, train: Flags, test: Flags) -> Scores:
    """Fit on ``train`` and score ``test`` exactly as published: unknown values become 0.

    ``train`` holds rows of both classes.
    """
    model = published_model(features, positive, train)
    found: Scores = model.predict_proba(np.nan_to_num(features[test], nan=0.0))[:, 1]
    return found


def published_model(features: Numbers, positive: Flags, train: Flags) -> Any:
    """Fit the published pipeline; it takes rows without unknown values."""
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000)
    )
    with threadpool_limits(limits=1):
        return model.fit(np.nan_to_num(features[train], nan=0.0), positive[train])


def reproduce(published: PublishedTable) -> dict[str, Any]:
    """Return the published figures on the published cut: PR-AUC, precision, recall and the rest."""
    train = np.arange(len(published)) < published.cut
    score = published_scores(published.features, published.positive, train, ~train)
    positive = published.positive[~train]
    return {
        "rows_train": int(train.sum()),
        "rows_test": len(positive),
        "columns": len(published.names),
        "nan_set_to_0": int(np.isnan(published.features).sum()),
        "prevalence": float(positive.mean()),
        "pr_auc": float(average_precision_score(positive, score)),
        "roc_auc": float(roc_auc_score(positive, score)),
        **alarms_at(positive, score, THRESHOLD),
    }


def alarms_at(positive: Flags, score: Scores, threshold: float) -> dict[str, Any]:
    """Return precision, recall and F1 of the alarms at this threshold, with their counts."""
    alarm = score >= threshold
    hits, alarms, total = int((alarm & positive).sum()), int(alarm.sum()), int(positive.sum())
    return {
        "threshold": threshold,
        "hits": hits,
        "alarms": alarms,
        "positives": total,
        "precision": hits / alarms if alarms else None,
        "recall": hits / total if total else None,
        "f1": 2 * hits / (alarms + total) if alarms + total else None,
    }


def figure_lines(found: Mapping[str, Any]) -> list[str]:
    """Return the published figures in three lines, number first."""
    return [
        f"{found['pr_auc']:.4f}  PR-AUC of {found['rows_test']} rows, learned from"
        f" {found['rows_train']} ({found['columns']} columns, {found['nan_set_to_0']} NaN set to"
        f" 0); prevalence {found['prevalence']:.4f}, ROC-AUC {found['roc_auc']:.4f}",
        f"{_ratio(found['precision'])}  precision: {found['hits']} of {found['alarms']} alarms at"
        f" threshold {found['threshold']:g}",
        f"{_ratio(found['recall'])}  recall: {found['hits']} of {found['positives']} positives",
    ]


def _ratio(value: float | None) -> str:
    return "  none" if value is None else f"{value:.4f}"
