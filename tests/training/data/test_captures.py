"""What is said of captures."""

from training.data.captures import Capture, capture_lines, count_lines, counts_of, named_counts
from training.data.coverage import Coverage


def capture(file: str, longest: int, **rows: int) -> Capture:
    """Return a capture of one product, with these fates of its rows."""
    coverage = Coverage(0, 9_000_000, ticks=8, sized=4, seconds=6, gaps=2, gap_seconds=4)
    counts = {"events_tick": 8, "gaps": 2, "gap_seconds": 4, "seconds": 6}
    counts |= {f"rows_{fate}": number for fate, number in rows.items()}
    counts |= {"longest_gap_s": longest}
    return Capture(
        file, "0" * 64, "advanced", 0, 9_000_000, counts, {"BTC-USD": rows}, {"BTC-USD": coverage}
    )


def test_usable_rows_are_those_that_may_be_learned_from() -> None:
    """A product without any is not named."""
    assert capture("a", 1, usable=3, late=1).usable == {"BTC-USD": 3}
    assert capture("a", 1, late=1).usable == {}


def test_a_capture_is_told_in_a_line_and_one_for_each_product() -> None:
    """Events and usable rows, then time, gaps, and what was dropped."""
    first, second = capture_lines(capture("a.ndjson", 3, usable=3, late=1))
    assert first == "read      a.ndjson: 8 events, usable rows: 3 of BTC-USD"
    assert "8 ticks, 60.0% of 10 s known, 2 gaps" in second
    assert "sizes in 50% of the ticks; dropped: 1 late" in second


def test_counts_of_captures_add_up() -> None:
    """But for the longest gap, which is the longest of all."""
    total = counts_of([capture("a", 3, usable=3), capture("b", 7, usable=4, late=2)], ["left"])
    assert (total["rows_usable"], total["rows_late"], total["gaps"]) == (7, 2, 4)
    assert (total["longest_gap_s"], total["captures"], total["left_out"]) == (7, 2, 1)
    assert counts_of([], [])["longest_gap_s"] == 0


def test_all_that_became_of_a_dataset_is_told() -> None:
    """Events, rows, time and captures, a line each."""
    lines = count_lines(counts_of([capture("a", 3, usable=3)], []))
    assert lines[0].split() == ["events", "8", "tick"]
    assert "3 usable" in lines[1]
    assert lines[2] == "time      6 product seconds known, 4 in 2 gaps (longest 3 s)"
    assert lines[3] == "captures  1 used, 0 left out"


def test_parts_of_the_counts_have_their_names() -> None:
    """Without the word they begin with."""
    assert named_counts({"rows_usable": 3, "events_tick": 8}, "rows") == {"usable": 3}
