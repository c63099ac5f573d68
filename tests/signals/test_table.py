"""The table by events, from runs and onsets that are placed by hand."""

import msgspec
import numpy as np
import pytest

from signals.probabilities import probabilities
from signals.row import Thresholds
from signals.runs import Runs
from signals.seconds import Columns, Seconds
from signals.table import Part, Table, always, event_table, parts_of, rule
from tests.signals.world import TAU, columns, rows, seconds_of, stream

DAY = 86_400
THETA = Thresholds(0.25, 0.3)


def part(highs: list[int], *spans: tuple[int, int], count: int = DAY) -> Part:
    """A day that is at 1.5τ for ten seconds from each of these on, and these runs."""
    volatility = np.full(count, 0.3 * TAU)
    for high in highs:
        volatility[high : high + 10] = 1.5 * TAU
    start, end = np.array(spans, np.int64).reshape(-1, 2).T
    return Part(seconds_of(count, volatility=volatility), Runs(start, end))


ONE_OF_EACH = part(
    [2_000, 4_000, 6_000, 8_000, 10_000, 20_000],
    *((1_960, 2_100), (3_997, 4_100), (6_020, 6_100), (10_003, 10_100)),
    *((18_000, 20_100), (30_000, 30_100)),
)
"""Early by 40 s, at once by 3, late by 20, missed, late and already there, standing; and false."""


SIX = tuple((1_000 * k, 1_000 * k + 90) for k in range(1, 7))


def test_each_onset_is_of_one_kind() -> None:
    """Six onsets; detection at a lead leaves the standing run out."""
    found = event_table([ONE_OF_EACH], 1, 8)
    assert (found.covered_days, found.onsets) == (1.0, 6)
    kinds = (found.early, found.at_once, found.late, found.missed, found.standing)
    assert kinds == (1, 1, 2, 1, 1)
    assert [(each.lead, each.onsets) for each in found.detected] == [
        (0, 2),
        (5, 1),
        (10, 1),
        (30, 1),
        (60, 0),
    ]
    assert found.detected[0].share == pytest.approx(2 / 6)


def test_runs_are_right_or_false_or_of_another_kind() -> None:
    """Three saw τ, two of them in time; the late one at 6,020 is false; one began at τ."""
    found = event_table([ONE_OF_EACH], 1, 8)
    assert (found.starts, found.starts_a_day, found.budget) == (6, 6.0, 8)
    assert (found.right, found.wrong, found.already_there) == (3, 2, 1)
    assert found.share_right == 0.6


def test_starts_have_an_interval() -> None:
    """Six in a day, six in half a day: the same count, twice the rate."""
    day, half = (event_table([part([], *SIX, count=n)], 1) for n in (DAY, DAY // 2))
    assert day.starts_a_day_interval == (
        pytest.approx(2.613, abs=1e-3),
        pytest.approx(11.842, abs=1e-3),
    )
    assert half.starts_a_day_interval == tuple(2 * each for each in day.starts_a_day_interval)


def test_leads_are_of_runs_that_did_not_begin_there() -> None:
    """40, 3, -20 and a missed one; neither the standing run nor the one at τ already."""
    found = event_table([ONE_OF_EACH], 1)
    assert found.median_lead_seconds == 3.0
    assert found.mean_lead_seconds == (40 + 3 - 20 + 0) / 4


def test_chance_stands_beside_detection() -> None:
    """A run for a tenth of the calm seconds: an onset anywhere had as much."""
    found = event_table([part([], (600, 900), count=3_299)], 1)
    assert found.onsets == 0 and found.detected[0].share is None
    assert [each.chance for each in found.detected] == [
        n / 3_000 for n in (300, 295, 290, 270, 240)
    ]
    assert found.share_of_calm_in_state == 0.1
    assert found.share_in_state == pytest.approx(300 / 3_299)


def test_days_are_added_up() -> None:
    """Twice the same day has twice the counts, and the same shares."""
    one, two = event_table([ONE_OF_EACH], 1), event_table([ONE_OF_EACH] * 2, 1)
    assert (two.onsets, two.starts, two.covered_days) == (12, 12, 2.0)
    for name in ("share_right", "share_in_state", "median_lead_seconds", "starts_a_day"):
        assert getattr(two, name) == getattr(one, name)


def test_nothing_has_no_figures() -> None:
    """No day, or one without runs and onsets."""
    for parts in ([], [part([])]):
        found = event_table(parts, 2)
        assert (found.onsets, found.starts, found.share_right) == (0, 0, None)
        assert found.median_lead_seconds is found.mean_lead_seconds is None
    empty = event_table([], 1)
    assert empty.starts_a_day is empty.starts_a_day_interval is None


def test_the_plain_rule_is_at_once_and_never_earlier() -> None:
    """It starts where the onset is: detected at 0 s, not at 5, and always already there."""
    seconds = ONE_OF_EACH.seconds
    found = event_table([Part(seconds, rule(seconds, 1))], 1)
    assert [each.onsets for each in found.detected] == [6, 0, 0, 0, 0]
    assert (found.already_there, found.share_right) == (6, None)


def test_always_is_standing() -> None:
    """Whatever is always on has no lead, all of the time, and one start."""
    seconds = ONE_OF_EACH.seconds
    found = event_table([Part(seconds, always(seconds))], 1)
    assert (found.standing, found.detected[0].onsets) == (6, 0)
    assert (found.share_in_state, found.starts) == (1.0, 1)


def test_runs_of_both_levels_under_thresholds() -> None:
    """Each day with its own; a spike is a run of level 1, too."""
    days = [Seconds.of(columns(rows(range(9), 0.9, 0.8) + rows(range(9, 900)))) for _ in range(2)]
    elevated, spike = parts_of(days, THETA)
    assert [len(each.runs) for each in (*elevated, *spike)] == [1, 1, 1, 1]
    assert elevated[0].runs.end[0] > spike[0].runs.end[0]


def test_the_table_is_data() -> None:
    """It is written and read as JSON."""
    elevated, spike = parts_of([Seconds.of(columns(stream(5, 900)))], THETA)
    said = probabilities(np.array([0.2, 0.4]), np.array([False, True]))
    table = Table(
        product_id="BTC-USD",
        venue="coinbase",
        variant="ml",
        tau="trailing",
        elevated=event_table(elevated, 1, 8),
        spike=event_table(spike, 2, 4),
        score=said,
        severe=said,
    )
    assert msgspec.json.decode(msgspec.json.encode(table), type=Table) == table


def test_a_chance_is_none_without_calm() -> None:
    """In blind seconds nothing is calm."""
    none = np.full(500, np.nan)
    blind = Columns(np.arange(500), none, none, none, none, np.zeros(500, np.bool_))
    seconds = Seconds.of(blind)
    found = event_table([Part(seconds, rule(seconds, 1))], 1)
    assert (found.covered_days, found.detected[0].chance, found.share_in_state) == (0, None, None)
