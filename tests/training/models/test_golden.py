"""Golden rows."""

from featurizer.features import NAMES
from training.models.golden import PICKED, golden_rows


def test_equal_seeds_give_equal_rows() -> None:
    """To the bit; another seed gives others."""
    assert golden_rows(1) == golden_rows(1) != golden_rows(2)


def test_some_values_are_unknown_and_the_last_rows_are_whole() -> None:
    """A model is recognised by how it takes nulls, too."""
    rows = golden_rows()
    assert len(rows) == len(PICKED) and {len(row) for row in rows} == {len(NAMES)}
    assert rows[0].count(None) > rows[1].count(None) > 0
    assert None not in rows[-1]


def test_the_end_is_wilder_than_the_middle() -> None:
    """Scores of the rows differ, so that a wrong model is seen."""
    rows = dict(zip(PICKED, golden_rows(), strict=True))
    at = NAMES.index("realized_volatility_60s")
    assert rows[1_259][at] > 2 * rows[301][at]
