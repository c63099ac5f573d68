"""Times as text and as epoch microseconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.instant import instant, text_of

YEAR_9000_US = 221_845_392_000_000_000


@given(st.integers(0, YEAR_9000_US), st.integers(0, 999))
def test_a_time_that_was_written_is_read(time_us: int, nanoseconds: int) -> None:
    """To the microsecond in the number, and with all its digits in the text."""
    text = text_of(time_us, nanoseconds)
    assert instant(text) == (time_us, text)


@pytest.mark.parametrize(
    ("text", "time_us", "written"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000, "1970-01-01T00:00:01Z"),
        ("1970-01-01 00:00:01.5", 1_500_000, "1970-01-01T00:00:01.5Z"),
        ("1970-01-01T02:00:00.000001999+02:00", 1, "1970-01-01T00:00:00.000001999Z"),
        ("1970-01-01T00:00:00-0130", 5_400_000_000, "1970-01-01T01:30:00Z"),
    ],
)
def test_zones_and_digits(text: str, time_us: int, written: str) -> None:
    """A time without a zone is UTC; digits below the microsecond are cut, never rounded up."""
    assert instant(text) == (time_us, written)


@pytest.mark.parametrize(
    "text", ["", "1970-01-01", "1970-01-01T00:00Z", "1970-01-01T00:00:00.1234567890Z", "1.5"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """The error has what was found and a time as it should be."""
    with pytest.raises(ValueError, match=r"found time .*, expected one like 2026-"):
        instant(text)


def test_a_day_that_is_not_in_the_calendar_is_refused() -> None:
    """The form alone makes no time."""
    with pytest.raises(ValueError):
        instant("2026-02-30T00:00:00Z")


def test_a_zone_that_leads_out_of_all_years_is_refused() -> None:
    """The calendar has no year 0: it is an error of the text, not of the arithmetic."""
    with pytest.raises(ValueError, match="expected a year from 1 to 9999 in UTC"):
        instant("0001-01-01T00:00:00+23:59")
