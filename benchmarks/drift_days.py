"""How often drift is found on ordinary days of other venues, and how surely on wrong ones.

    python -m benchmarks.drift_days ../shared/data           # measure
    python -m benchmarks.drift_days ../shared/data --write   # make drift/month.json anew

The month of Coinbase's minutes is the reference; threshold and cut were chosen on it and on
generated markets, and hold on BitMEX, BTC-e and Binance. A look an hour of event time, at a day.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from math import log
from pathlib import Path
from typing import Any, Final

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.drift_false_alarms import distances, judge
from benchmarks.market_fit import YEAR_MINUTES
from drift.comparison import LEAST_ROWS, STEP_SECONDS, WINDOW_SECONDS
from drift.day import DAY_SECONDS, Day, Inputs, Seen
from drift.inputs import LEAST_MINUTES, compare_inputs
from drift.month import PACKAGED, Month, packaged_month, read_month
from featurizer.features import NAMES
from featurizer.slots import MICROSECONDS
from ingestor.instant import text_of
from serving.artifact import load_folder
from serving.reference import ProductReference
from serving.relative import LEAST_INPUT, VOLATILITIES, WINDOWS, Relative, inputs_of
from simulator.volatility import Volatility
from training.external.trailing import rolling_sum
from training.relative.evidence import MINUTES_LICENCE, MINUTES_SOURCE
from training.venues.examples import Examples, examples_of
from training.venues.judging import MINUTES
from training.venues.minute_levels import established_levels, read_minute_examples
from training.venues.venue_days import missing, read_venues

MODEL: Final = Path(__file__).resolve().parents[1] / "model-settings/ml"
QUANTILES: Final = 200
DIGITS: Final = 3
MINUTES_OF_DAY: Final = DAY_SECONDS // STEP_SECONDS
HOUR: Final = WINDOW_SECONDS // STEP_SECONDS
GENERATED_DAYS: Final = 10
FIRST: Final = 1_700_006_400
"""Epoch second, a whole day, at which generated time begins."""
ALERT: Final = 3
"""Looks in a row, an hour apart, after which the alert fires."""
By = dict[int, Inputs]
"""Inputs by minute."""
Change = Callable[[int, Inputs], Inputs]
"""Of the minutes before a look, 0 for the newest, and its inputs."""


def minutes_of(found: Examples) -> By:
    """Return the inputs of each minute's last second."""
    last = found.thinned(STEP_SECONDS)
    rows = (
        inputs_of([dict(zip(VOLATILITIES, row, strict=True)).get(name) for name in NAMES], tau)
        for row, tau in zip(last.volatility.tolist(), last.tau.tolist(), strict=True)
    )
    return dict(zip((last.second // STEP_SECONDS).tolist(), rows, strict=True))


def month_of(found: Examples) -> Month:
    """Return the quantiles of a month's inputs, those of the packaged reference."""
    rows = list(minutes_of(found).values())
    at = (np.arange(QUANTILES) + 0.5) / QUANTILES
    columns = ([row[n] for row in rows if len(row) > n] for n in range(len(WINDOWS)))
    return Month(
        source=MINUTES_SOURCE,
        licence=MINUTES_LICENCE,
        first=text_of(int(found.second[0]) * MICROSECONDS),
        last=text_of(int(found.second[-1]) * MICROSECONDS),
        minutes=len(rows),
        quantiles={
            str(window): [round(x, DIGITS) for x in np.quantile(values, at).tolist()]
            for window, values in zip(WINDOWS, columns, strict=True)
        },
    )


def encode_month(month: Month) -> str:
    """Return the text of ``month.json``."""
    found = {name: getattr(month, name) for name in month.__struct_fields__}
    return json.dumps(found, separators=(",", ":")) + "\n"


def wrong_level(factor: float) -> Change:
    """The level is so many times what it should be, for the whole day."""
    return lambda _, row: tuple(x - log(factor) for x in row)


def mute(at: int) -> Change:
    """In the last hour one window is unknown, and with it those after it."""
    return lambda ago, row: row[:at] if ago < HOUR else row


def frozen(at: int) -> Change:
    """In the last hour one window has the value that it is most often at."""
    return lambda ago, row: (*row[:at], -0.75, *row[at + 1 :]) if ago < HOUR else row


def other_unit(ago_hours: int) -> Change:
    """For so many hours volatilities have been basis points, not shares."""
    return lambda ago, row: (
        tuple(x + log(10_000.0) for x in row) if ago < ago_hours * HOUR else row
    )


CHANGES: Final[Mapping[str, Change]] = {
    "nothing": lambda _, row: row,
    "τ × 3": wrong_level(3.0),
    "τ / 3": wrong_level(1 / 3),
    "τ × 2": wrong_level(2.0),
    "τ / 2": wrong_level(0.5),
    "900 s mute for an hour": mute(2),
    "3,600 s mute for an hour": mute(3),
    "300 s frozen for an hour": frozen(1),
    "basis points for 3 h": other_unit(3),
}


def looks(rows: By, change: Change, month: Month) -> Iterator[bool]:
    """Return what each look at a day that is known well enough finds."""
    first, last = min(rows), max(rows)
    for end in range(first + MINUTES_OF_DAY - 1, last + 1, HOUR):
        found = compare_inputs("m", _day(rows, end, change), len(WINDOWS), month, distances)
        if found.state == "compared":
            yield bool(found.detected)


def _day(rows: By, end: int, change: Change) -> Day:
    day = Day("m", (end + 1) * STEP_SECONDS * MICROSECONDS - 1)
    for minute in range(end - MINUTES_OF_DAY + 1, end + 1):
        if minute in rows:
            order = ((minute + 1) * STEP_SECONDS * MICROSECONDS - 1, 0)
            day.minutes[minute] = Seen(order, change(end - minute, rows[minute]))
    return day


def longest(found: Sequence[bool]) -> int:
    """Return how many looks in a row found drift at most."""
    most = row = 0
    for each in found:
        row = row + 1 if each else 0
        most = max(most, row)
    return most


def alerts(found: Sequence[bool]) -> int:
    """Return how often the alert fires."""
    runs = (len(list(run)) for drifted, run in groupby(found) if drifted)
    return sum(run > ALERT for run in runs)


def before(found: Examples, model: Relative, reference: ProductReference) -> tuple[int, int]:
    """Count the hours that the comparison of before finds drifted, of all.

    It set raw volatilities, and scores, beside the model folder's own rows.
    """
    at = [n for n, name in enumerate(NAMES) if name in VOLATILITIES]
    base = ProductReference(
        rows=[[x if n in at else None for n, x in enumerate(row)] for row in reference.rows],
        scores=reference.scores,
        prevalence=None,
        of_rows=reference.of_rows,
    )
    last = found.thinned(STEP_SECONDS)
    hits = judged = 0
    for hour in np.unique(last.second // WINDOW_SECONDS):
        part = last.take(last.second // WINDOW_SECONDS == hour)
        if len(part) >= LEAST_ROWS:
            volatilities = (dict(zip(at, row, strict=True)) for row in part.volatility.tolist())
            rows = [[row.get(n) for n in range(len(NAMES))] for row in volatilities]
            judged, hits = judged + 1, hits + bool(judge(rows, base, _At(model, part)).detected)
    return hits, judged


class _At:
    """Scores the rows of some examples, each under its own τ."""

    def __init__(self, model: Relative, part: Examples) -> None:
        self._model, self._tau = model, iter(part.tau.tolist())

    def score(self, row: Sequence[float | None]) -> float:
        return self._model.chances(row, next(self._tau)).score


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def generated(seed: int) -> By:
    """Return the inputs of a wandering market's minutes that have an established level."""
    course, chance = Volatility(seed, "BTC-USD"), np.random.default_rng(seed)
    annual = []
    for minute in range(GENERATED_DAYS * MINUTES_OF_DAY):
        course.step(60.0)
        annual.append(course.annual(minute * 60.0 % DAY_SECONDS))
    # The sum of 60 squared normal returns of one second each.
    squares = np.array(annual) ** 2 / YEAR_MINUTES * chance.chisquare(60, len(annual)) / 60
    second = FIRST + STEP_SECONDS * np.arange(len(squares)) + STEP_SECONDS - 1
    tau = established_levels(second, np.sqrt(squares))
    means = [rolling_sum(squares, w // STEP_SECONDS) / (w // STEP_SECONDS) for w in WINDOWS]
    x = np.log(np.maximum(np.sqrt(np.column_stack(means)) / tau[:, None], LEAST_INPUT))
    at = ~np.isnan(tau)
    minutes, rows = (second[at] // STEP_SECONDS).tolist(), x[at].tolist()
    return {minute: tuple(row) for minute, row in zip(minutes, rows, strict=True)}


def show(name: str, markets: Sequence[By], month: Month) -> None:
    """Print what each change brings on the days of one venue, or of some markets."""
    say(name)
    for title, change in CHANGES.items():
        found = [list(looks(rows, change, month)) for rows in markets]
        each = list(chain.from_iterable(found))
        say(
            f"  {title:<26} {sum(each):>4} of {len(each):>4} looks, at most"
            f" {max(map(longest, found))} in a row, alerts: {sum(map(alerts, found))}"
        )


def main() -> int:
    """Measure and print, or write the month; 2 where the data are not there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--markets", type=int, default=6, help="generated ones, of ten days")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if absent := missing(options.data):
        sys.stderr.write(f"error: found no {', '.join(absent)} in {options.data}\n")
        return 2
    minutes = read_minute_examples(options.data / MINUTES)
    if options.write:
        PACKAGED.write_text(encode_month(month_of(minutes)))
        read_month(PACKAGED.read_bytes())
        return 0
    artifact = load_folder(MODEL)
    model, reference = artifact.relative, artifact.reference()
    if model is None or reference is None:
        raise SystemExit(f"found no model in units of a level in {MODEL}")
    own: Any = reference.products["BTC-USD"]
    say(f"a day has {LEAST_MINUTES} of {MINUTES_OF_DAY} minutes or more")
    venues = [examples_of(d.venue.name, d.seconds) for d in read_venues(options.data)]
    for found in (minutes, *venues):
        hits, hours = before(found, model, own)
        title = f"{found.name}: before, {hits} of {hours} ordinary hours drifted"
        show(title, [minutes_of(found)], packaged_month())
    markets = [generated(seed) for seed in range(options.markets)]
    show(f"{len(markets)} generated markets of {GENERATED_DAYS} days", markets, packaged_month())
    return 0


if __name__ == "__main__":
    sys.exit(main())
