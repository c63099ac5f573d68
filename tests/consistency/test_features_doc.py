"""``docs/features.md`` says what the code says."""

from featurizer.features import FEATURES
from tests.featurizer.example import DOC, Line, table


def test_table_is_that_of_the_code() -> None:
    """The table of features is made of ``FEATURES``, in tensor order."""
    expected: list[Line] = [
        {
            "#": str(position),
            "feature": f"`{feature.name}`",
            "definition": feature.statistic.definition,
            "window": f"{feature.window} s",
            "unit": feature.statistic.unit,
        }
        for position, feature in enumerate(FEATURES)
    ]
    assert table("#, feature") == expected


def test_prose_has_one_sentence_a_line() -> None:
    """Outside of tables and pictures no line holds the end of one sentence and another's start."""
    prose, pictured = [], False
    for line in DOC.read_text().splitlines():
        pictured ^= line.startswith("```")
        if not pictured and not line.startswith(("|", "#", "```")):
            prose.append(line)
    assert [line for line in prose if ". " in line.removesuffix(".")] == []
