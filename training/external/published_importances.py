"""Permutation importances of the published set-up, beside those of the honest one."""

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from training.evaluation.importances import REPEATS
from training.external.published_figure import published_scores, read_published
from training.models.candidates import SEED


def published_importances(path: Path) -> dict[str, float]:
    """Return the importances in the published set-up, largest first: its model on its test rows.

    Raises:
        DatasetError: the file is not the published table.
    """
    table = read_published(path)
    train = np.arange(len(table)) < table.cut
    positive = table.positive[~train]

    def worth(features: Any) -> float:
        score = published_scores(features, table.positive, train, ~train)
        return float(average_precision_score(positive, score))

    plain, chance, found = worth(table.features), np.random.default_rng(SEED), {}
    for column, name in enumerate(table.names):
        falls = []
        for _ in range(REPEATS):
            features = table.features.copy()
            features[~train, column] = chance.permutation(features[~train, column])
            falls.append(plain - worth(features))
        found[name] = round(float(np.mean(falls)), 6)
    return dict(sorted(found.items(), key=lambda item: -item[1]))
