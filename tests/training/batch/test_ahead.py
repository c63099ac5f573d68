"""Labels by columns, where a Break tells them before their seconds are final."""

from math import log, sqrt

import pytest

from ingestor.tick import Event
from tests.featurizer.market import SECOND, break_at, seconds, tick
from tests.training.batch.equal import by_columns, of_columns, of_rows
from tests.training.labeller import Labeller
from training.batch.labelled import FATES


def told(events: list[Event]) -> dict[int, tuple[str, float, int]]:
    """Fate, volatility and time of each second's row, once compared with the live engine's."""
    rows = by_columns(events)
    assert of_columns(rows) == of_rows(Labeller().rows(events))
    values = zip(rows.fate, rows.volatility, rows.matured_us, strict=True)
    return {
        int(time_us) // SECOND: (FATES[fate], float(volatility), int(matured_us))
        for time_us, (fate, volatility, matured_us) in zip(rows.time_us, values, strict=True)
    }


def test_a_break_ahead_tells_by_the_quote_that_stood_then() -> None:
    """What comes later in second 60 is not in the label of second 0, which was told before."""
    stamped = [*seconds(*range(61)), break_at(61 * SECOND)]
    after = tick(60 * SECOND + 5, bid=199.0, ask=201.0)
    found = told([*stamped, after, *seconds(*range(62, 130))])
    assert found[0][1:] == (0.0, 61 * SECOND)
    assert found[0][0] == "warming"
    assert found[1][0] == "break"


def test_a_hole_without_a_break_is_coverage() -> None:
    """Also where a Break comes later in the second that ended the hole."""
    late = [tick(75 * SECOND), break_at(75 * SECOND + 1), *seconds(*range(76, 140))]
    found = told([*seconds(*range(10)), *late])
    assert {found[k][0] for k in range(10)} == {"coverage"}


@pytest.mark.parametrize("stamped", [30, 61, 62, 90, 200])
def test_rows_that_wait_when_nothing_comes(stamped: int) -> None:
    """A Break may be the last of all: rows it is far enough from are told, others stay open."""
    found = told([*seconds(*range(30)), break_at(stamped * SECOND)])
    assert {k for k, row in found.items() if row[0] == "unfinished"} == {
        k for k in range(30) if k + 61 > stamped
    }


def test_the_row_before_a_hole_of_two_breaks() -> None:
    """A Break far ahead, then ticks as if nothing had been: told as soon as their second ends."""
    odd = [break_at(500 * SECOND), tick(29 * SECOND + 7), *seconds(*range(30, 100))]
    found = told([*seconds(*range(30)), *odd])
    assert found[29] == (found[29][0], found[29][1], 500 * SECOND)
    assert found[29][0] == "coverage"


def test_volatility_joins_the_step_out_of_a_second_with_the_returns_after_it() -> None:
    """As in ``featurizer.labels``, by hand."""
    mids = {0: 101.0, 1: 102.0, 2: 104.0}
    stream = [tick(k * SECOND, bid=m - 1, ask=m + 1) for k, m in mids.items()]
    stream += [tick(k * SECOND, bid=103.0, ask=105.0) for k in range(3, 62)]
    expected = sqrt(log(102 / 101) ** 2 + log(104 / 102) ** 2)
    assert told([*stream])[0][1] == pytest.approx(expected, rel=1e-15)
