"""How often drift is found where there is none, and how surely where there is.

    python benchmarks/drift_false_alarms.py --markets 100

Each window is an hour of a market with a seed of its own, so the windows are independent.
The distances are those of ``drift.comparison`` (some are compared with Evidently's own at the end).
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from math import sqrt
from multiprocessing import Pool
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scipy.stats import wasserstein_distance

from benchmarks.drift_markets import WARM_UP, Change, events, model_of, rows, values
from drift.comparison import (
    COLUMNS,
    SCORE,
    WINDOW_SECONDS,
    Comparison,
    Known,
    Measured,
    compare,
    evidently_report,
)
from featurizer.features import NAMES
from serving.linear import Linear
from serving.reference import ProductReference, reference_of

REFERENCE_SEED = 10_000
LONG, SHORT = 4, 1
"""Markets whose hours make the long and the short reference."""
Matrix = list[list[float | None]]


def distances(window: Known, reference: Known, thresholds: Mapping[str, float]) -> Measured:
    """Measure as Evidently does, without its report: the deviation of the reference is 1."""
    return {n: float(wasserstein_distance(reference[n], window[n])) for n in thresholds}, None


def market(mood: str, seed: int) -> Matrix:
    """Return one row a minute of one hour."""
    return values(rows(events(seed, WARM_UP + WINDOW_SECONDS, mood)))


def changing(mood: str, to: str, seed: int) -> Matrix:
    """Return an hour of one mood and an hour of another."""
    change = Change(WARM_UP + WINDOW_SECONDS, to)
    return values(rows(events(seed, WARM_UP + 2 * WINDOW_SECONDS, mood, change)))


def reference(hours: Sequence[Matrix]) -> tuple[ProductReference, Linear]:
    """Make the training reference of these hours, as if there were a row a second."""
    found = [row for hour in hours for row in hour]
    model = model_of(found)
    scores = [model.score(row) for row in found]
    part = reference_of(["m"] * len(found), found, scores, [None] * len(found)).products["m"]
    spread = ProductReference(
        rows=part.rows, scores=part.scores, prevalence=None, of_rows=60 * len(found)
    )
    return spread, model


def judge(
    window: Matrix, ref: ProductReference, model: Linear, report: Any = distances
) -> Comparison:
    """Compare one window with a reference."""
    columns: dict[str, Any] = {n: [row[at] for row in window] for at, n in enumerate(NAMES)}
    columns[SCORE] = [model.score(row) for row in window]
    return compare("m", columns, ref, report)


def shown(found: Sequence[Comparison]) -> str:
    """Return share of windows found drifted with its 95 % interval (Wilson), and the columns'."""
    n, hits = len(found), sum(bool(c.detected) for c in found)
    p, z = hits / n, 1.96
    middle, width = p + z * z / 2 / n, z * sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    low, high = ((middle + s * width) / (1 + z * z / n) for s in (-1, 1))
    each = Counter(c for one in found for c, v in one.columns.items() if v.drifted)
    most = ", ".join(f"{c} {k / n:.2f}" for c, k in each.most_common(4)) or "none"
    return f"{hits:3d} of {n:3d} = {p:.3f} ({max(low, 0):.3f}–{high:.3f}); columns: {most}"


def highest(found: Sequence[Comparison]) -> str:
    """Return each column's 99th percentile of the distances."""
    lines = []
    for column in COLUMNS:
        values_of = sorted(c.columns[column].value or 0.0 for c in found)
        lines.append(f"{column}={values_of[int(0.99 * (len(values_of) - 1))]:.2f}")
    return " ".join(lines)


def delay(hours: Matrix, ref: ProductReference, model: Linear) -> int | None:
    """Return the minutes after the change at which the window of the last hour has drifted."""
    for minutes in range(0, 61, 5):
        if judge(hours[minutes : 60 + minutes], ref, model).detected:
            return minutes
    return None


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def rolling(mood: str, seed: int, hours: int) -> Matrix:
    """Return some hours of one market."""
    return values(rows(events(seed, WARM_UP + hours * WINDOW_SECONDS, mood)))


def alerts(days: Sequence[Matrix], ref: ProductReference, model: Linear) -> str:
    """Say how often an alert would fire that looks every five minutes and waits for four looks."""
    looks, hits, fired = 0, 0, 0
    for rows_of in days:
        row = 0
        for end in range(60, len(rows_of) + 1, 5):
            drifted = bool(judge(rows_of[end - 60 : end], ref, model).detected)
            row = row + 1 if drifted else 0
            looks, hits, fired = looks + 1, hits + drifted, fired + (row == 5)
    days_seen = looks * 5 / 1_440
    return f"{hits} of {looks} looks; {fired} alerts in {days_seen:.1f} days"


def prevalences(windows: Sequence[Matrix], hours: Sequence[Matrix]) -> str:
    """Say how far an unchanged hour's share of spikes is from training's, at the same τ."""
    trained = sorted(row[0] for hour in hours for row in hour if row[0] is not None)
    tau = trained[int(0.9 * len(trained))]
    shares = [sum((row[0] or 0.0) >= tau for row in w) / len(w) for w in windows]
    above, below = sum(p > 0.3 for p in shares), sum(p < 0.1 / 3 for p in shares)
    return f"{above} above three times, {below} below a third of it, of {len(shares)} hours"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markets", type=int, default=100, help="hours without a change, by mood")
    parser.add_argument("--changes", type=int, default=20, help="hours of each other mood")
    parser.add_argument("--spans", type=int, default=12, help="longer markets without a change")
    parser.add_argument("--hours", type=int, default=7, help="length of these")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    os.environ["DO_NOT_TRACK"] = "1"
    with Pool(options.jobs) as pool:
        for mood, others in (("calm", ("normal", "wild")), ("free", ("calm", "wild"))):
            seeds = range(REFERENCE_SEED, REFERENCE_SEED + LONG)
            hours = pool.map(partial(market, mood), seeds)
            ref, model = reference(hours)
            windows = pool.map(partial(market, mood), range(options.markets))
            same = [judge(window, ref, model) for window in windows]
            short = [judge(window, *reference(hours[:SHORT])) for window in windows]
            say(f"{mood}, nothing changed, {LONG} h of training: {shown(same)}")
            say(f"{mood}, nothing changed, {SHORT} h of training: {shown(short)}")
            say(f"{mood}, 99th percentiles: {highest(same)}")
            say(f"{mood}, share of spikes against training's: {prevalences(windows, hours)}")
            spans = [(mood, seed, options.hours) for seed in range(40_000, 40_000 + options.spans)]
            days = pool.starmap(rolling, spans)
            say(f"{mood}, nothing changed, every five minutes: {alerts(days, ref, model)}")
            for other in others:
                seeds = range(20_000, 20_000 + options.changes)
                found = [judge(w, ref, model) for w in pool.map(partial(market, other), seeds)]
                say(f"{mood} → {other}, a whole window: {shown(found)}")
                both = pool.map(partial(changing, mood, other), range(30_000, 30_000 + 10))
                after = [delay(hour, ref, model) for hour in both]
                say(f"{mood} → {other}, minutes until seen: {after}")
            check = [judge(w, ref, model, evidently_report) for w in windows[:3]]
            worst = max(
                abs((a.columns[c].value or 0.0) - (b.columns[c].value or 0.0))
                for a, b in zip(check, same, strict=False)
                for c in COLUMNS
            )
            say(f"{mood}: largest difference from Evidently's values: {worst:.1e}")


if __name__ == "__main__":
    main()
