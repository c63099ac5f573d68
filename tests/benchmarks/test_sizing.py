"""The sizing follows from unit costs as its table says."""

from benchmarks.sizing import (
    BUSY,
    BYTES,
    DAYS,
    STAGES,
    Unit,
    beats,
    line,
    product_bytes,
    replicas,
    tables,
)

UNIT = Unit(dict.fromkeys(STAGES, 0.001), dict.fromkeys(STAGES, 50.0), 200_000.0)


def test_replicas_stay_below_half_a_core() -> None:
    """One is enough for little, and one more is there as soon as it would be too full."""
    assert [replicas(cores) for cores in (0.001, BUSY, BUSY * 1.01)] == [1, 1, 2]


def test_a_product_at_rest_has_beats() -> None:
    """Of many slow products nearly all are silent in a second, of few fast ones none."""
    assert beats(1, 50.0) < 1e-20
    assert 360 < beats(400, 10.0) < 400


def test_a_line_adds_up() -> None:
    """Six stages of 1 ms at 100 ticks a second are 0.6 cores; memory counts every replica."""
    found = line(UNIT, 1, 100.0)
    assert found[:3] == ("1", "100 / 600", "2")
    assert found[3:6] == ("featurizer 1, scorer 1", "12", "0.6 / 3.6")
    memory, disk = found[6:]
    assert memory == f"{(2 * 6 * 50 + 0.2) / 1_000:.1f}"
    assert disk == f"{100 * 86_400 * BYTES * DAYS / 1e9:,.0f}"


def test_what_a_product_keeps_does_not_grow_with_their_number() -> None:
    """Some hundred kilobytes each."""
    few, many = product_bytes(1, 305), product_bytes(3, 305)
    assert 20_000 < many < 1.5 * few < 1_500_000


def test_tables_are_of_all_markets() -> None:
    """Ten times the exchange is the last."""
    costs, sizes = tables(UNIT)
    assert [row[0] for row in costs.rows] == [*STAGES]
    assert sizes.rows[-1][1] == "1,600 / 9,600"
