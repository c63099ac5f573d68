"""Drift of a model in units of τ: silent on ordinary days, and not where something is wrong."""

import random
from math import exp, log, sqrt
from pathlib import Path

import pytest

from benchmarks.drift_days import CHANGES, MINUTES_OF_DAY, By, looks, minutes_of
from benchmarks.drift_false_alarms import distances
from drift.day import DAY_SECONDS, Day, Seen
from drift.inputs import NAMES, compare_inputs, stands_still
from drift.month import packaged_month
from featurizer.engine import FeatureEngine
from featurizer.level.levels import Levels
from featurizer.level.seeds import default_seeds
from serving.relative import WINDOWS
from training.data.checks import HOLDOUT
from training.data.sources import ReadTask, Source, read
from training.venues.captures import WHOLE_US, capture_files
from training.venues.examples import examples_of
from training.venues.venue_days import FOLDER, VENUES, read_venue

MINUTE_US = 60_000_000


def generated(seed: int, minutes: int = MINUTES_OF_DAY) -> By:
    """Inputs of a made-up day: a volatility with a memory of minutes and one of hours."""
    chance = random.Random(seed)
    fast = slow = 0.0
    squares: list[float] = []
    for _ in range(minutes + 60):
        fast = 0.8 * fast + 0.6 * 0.7 * chance.gauss(0.0, 1.0)
        slow = 0.99 * slow + 0.14 * 0.4 * chance.gauss(0.0, 1.0)
        squares.append(exp(2.0 * (fast + slow - 1.15)))
    found = {}
    for at in range(60, len(squares)):
        means = [squares[at - w // 60 + 1 : at + 1] for w in WINDOWS]
        found[at] = tuple(log(max(sqrt(sum(m) / len(m)), 0.02)) for m in means)
    return found


def day_of(rows: By) -> Day:
    """The day that ends with the newest of these minutes."""
    day = Day("f", (max(rows) + 1) * MINUTE_US - 1)
    day.minutes = {m: Seen(((m + 1) * MINUTE_US - 1, 0), row) for m, row in rows.items()}
    return day


@pytest.mark.parametrize("seed", range(5))
def test_a_generated_day_is_silent(seed: int) -> None:
    """Nothing is wrong: compared, and no column drifted."""
    found = compare_inputs("m", day_of(generated(seed)), 4, packaged_month(), distances)
    assert (found.state, found.detected, tuple(found.columns)) == ("compared", False, NAMES)
    assert (found.rows, found.seconds) == (MINUTES_OF_DAY, DAY_SECONDS)


@pytest.mark.parametrize("change", [c for c in CHANGES if c not in ("nothing", "τ × 2", "τ / 2")])
def test_what_is_wrong_is_found_on_a_generated_day(change: str) -> None:
    """A wrong level, a mute or frozen window and another unit each have drifted."""
    assert list(looks(generated(1), CHANGES[change], packaged_month())) == [True]


def test_a_model_of_one_window_is_asked_about_that_one() -> None:
    """The baseline sees 60 s alone: a mute longer window is none of its columns."""
    mute = {m: row[:1] for m, row in generated(1).items()}
    found = compare_inputs("m", day_of(mute), 1, packaged_month(), distances)
    assert (tuple(found.columns), found.detected) == (NAMES[:1], False)
    assert compare_inputs("m", day_of(mute), 4, packaged_month(), distances).detected


def test_half_a_day_is_needed_and_most_of_the_last_hour() -> None:
    """With fewer minutes there is no verdict, and it says which of both is missing."""
    rows = generated(1)
    few = {m: rows[m] for m in sorted(rows)[-719:]}
    holes = {m: row for m, row in rows.items() if m < max(rows) - 59 or m % 3 == max(rows) % 3}
    for found in (few, holes):
        one = compare_inputs("m", day_of(found), 4, packaged_month(), distances)
        assert (one.state, one.detected, one.columns) == ("too_few_rows", None, {})
    unfounded = day_of(rows)
    unfounded.minutes = {m: Seen(s.order, None) for m, s in unfounded.minutes.items()}
    one = compare_inputs("m", unfounded, 4, packaged_month(), distances)
    assert (one.state, one.detected) == ("no_level", None)


def test_a_market_that_stands_is_no_frozen_column() -> None:
    """Where nothing moves the longer windows may keep their values; where it moves they may not."""
    still = log(0.02)
    assert not stands_still([(still, -1.0)] * 60, 1)
    assert not stands_still([(-1.0 - at / 100, -1.0 - at / 90) for at in range(60)], 1)
    assert stands_still([(-1.0 - at / 100, -1.0) for at in range(60)], 1)


@pytest.mark.exhaustive
@pytest.mark.timeout(300)
@pytest.mark.parametrize("venue", [v.name for v in VENUES])
def test_days_of_other_venues_are_silent_and_wrong_levels_are_not(
    captures: Path, venue: str
) -> None:
    """No look at a day that the threshold was not chosen on finds drift; τ × 3 and τ / 3 all do."""
    one = next(v for v in VENUES if v.name == venue)
    days = read_venue(one, captures / FOLDER / one.file)
    rows = minutes_of(examples_of(venue, days.seconds))
    changes = ("nothing", "τ × 3", "τ / 3")
    found = {name: list(looks(rows, CHANGES[name], packaged_month())) for name in changes}
    assert found["nothing"] and not any(found["nothing"])
    assert all(found["τ × 3"]) and all(found["τ / 3"])


@pytest.mark.timeout(120)
def test_captures_have_no_verdict_and_say_why(captures: Path, tmp_path: Path) -> None:
    """Each normal capture is under a seed, or none: no column, no alert, ``no_level``."""
    judged = 0
    for path in capture_files(captures):
        source = read(ReadTask(path, False, tmp_path, HOLDOUT, WHOLE_US))
        for shard in source.shards if isinstance(source, Source) else ():
            engine = FeatureEngine(Levels(default_seeds()))
            day = Day(shard.feed, 0)
            for row in filter(None, map(engine.update, shard.read())):
                day.take(row)
            assert day.minutes, path.name
            found = compare_inputs("m", day, 4, packaged_month(), distances)
            assert (found.state, found.detected) == ("no_level", None), path.name
            judged += 1
    assert judged >= 5
