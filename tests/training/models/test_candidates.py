"""Which features the candidates may learn from."""

import numpy as np

from featurizer.features import NAMES, REQUIRED
from training.data.rows import Table
from training.models.candidates import CANDIDATES, TABLE

ALL = {"boosting", "forest"}


def test_a_feature_is_learned_from_as_soon_as_there_is_one() -> None:
    """Two candidates take every feature; the others name theirs, of the first release."""
    assert {c.name for c in TABLE if c.features == NAMES} == ALL
    named = {name for c in TABLE if c.name not in ALL for name in c.features}
    assert named <= set(REQUIRED)


def test_what_no_row_knows_yet_is_left_out() -> None:
    """A dataset of before knows nothing of the newest feature, so no candidate rests on it."""
    features = np.ones((20, len(NAMES)))
    features[:, -1] = np.nan
    table = Table(
        features=features,
        product=np.full(20, "BTC-USD"),
        time_us=np.arange(20, dtype=np.int64),
        volatility=np.ones(20),
        capture=np.zeros(20, dtype=np.intp),
    )
    for name in ALL:
        assert CANDIDATES[name].known(table) == NAMES[:-1]
