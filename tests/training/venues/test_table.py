"""What a reader sees: gains with interval and verdict, or part by part."""

from training.venues.stored import read_stored
from training.venues.table import SECTIONS, gain_text, judging_lines


def test_a_gain_has_its_interval_or_its_parts() -> None:
    """The verdict stands with both."""
    gain = {"value": 0.0042, "low": 0.0026, "high": 0.0065, "verdict": "better", "by_part": {}}
    assert gain_text(gain) == "+0.0042 [+0.0026, +0.0065] better"
    few = gain | {"low": None, "verdict": "not decidable", "by_part": {"a": 0.1, "b": -0.2}}
    assert gain_text(few) == "+0.0042 not decidable (each part: +0.1000, -0.2000)"


def test_all_sections_are_told_of_what_is_kept() -> None:
    """Days, captures and Coinbase alone stand apart, each below its title."""
    lines = judging_lines(read_stored()[1])
    titles = [lines.index(title) for title in SECTIONS.values()]
    assert titles == sorted(titles)
    captures = lines[titles[1] : titles[2]]
    assert all(
        "captures" in line.partition(",")[0] for line in captures[1:] if "prevalence" in line
    )
