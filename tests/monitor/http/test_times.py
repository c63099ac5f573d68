"""Times as users write them."""

import pytest

from monitor.http.times import parse_us


@pytest.mark.parametrize(
    "text",
    [
        "2026-04-05T22:35:13Z",
        "2026-04-05T22:35:13",
        "2026-04-05 22:35:13",
        "2026-04-05T22:35:13+00:00",
        "2026-04-05T22:35:13 00:00",
        "2026-04-06T00:35:13+02:00",
        "1775428513000000",
    ],
)
def test_reads_the_same_moment(text: str) -> None:
    """Zone or none, escaped or not, date or microseconds."""
    assert parse_us(text) == 1775428513000000


def test_keeps_microseconds() -> None:
    """Nothing is rounded by way of a float."""
    assert parse_us("2026-04-05T22:35:13.123457Z") == 1775428513123457


@pytest.mark.parametrize("text", ["", "yesterday", "1775428513", "9" * 30, "-5", "2026-13-01"])
def test_says_what_was_found_and_expected(text: str) -> None:
    """Seconds in place of microseconds are refused, not taken for 1970."""
    with pytest.raises(ValueError, match=r"found .*expected"):
        parse_us(text)
