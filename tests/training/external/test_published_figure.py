"""The published figure: reproduced from its file, and shown to be an artefact of breaks."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.errors import DatasetError
from training.external.published_figure import published_scores, read_published
from training.external.published_flaws import (
    WINDOW,
    before_breaks,
    jump_makes_the_label,
    moved_cuts,
    purged_cuts,
    unknown_as_zero,
    windows_of_rows,
)
from training.external.seed_figure import evaluate_seed_figure, seed_figure_lines

ROWS = 1000
BREAKS = {169: 121.0, 497: 179.0, 947: 618.0}
"""First rows after a break, and its seconds, as the published file has them."""


def table(jump: float = 2e-3, breaks: Mapping[int, float] = BREAKS) -> pd.DataFrame:
    """Make a table as the published one: ticks 0.2 s apart, breaks, a label counted in rows."""
    chance = np.random.default_rng(3)
    steps, returns = np.full(ROWS, 0.2), chance.normal(0, 1e-6, ROWS)
    for row, seconds in breaks.items():
        steps[row], returns[row] = seconds, jump
    price = 100_000 * np.cumprod(1 + returns)
    ahead = np.append(price[1:], np.full(WINDOW, price[-1])) / np.append(
        price, np.full(WINDOW - 1, price[-1])
    )
    future = np.array([np.std(ahead[at : at + WINDOW] - 1, ddof=1) for at in range(ROWS)])
    since = np.concatenate([np.arange(n) for n in np.diff([0, *breaks, ROWS])])
    frame = pd.DataFrame(
        {
            "timestamp": pd.Timestamp("2025-11-08") + pd.to_timedelta(np.cumsum(steps), unit="s"),
            "product_id": "BTC-USD",
            "price": price,
            "price_std_300s": 50 - 0.1 * since + chance.normal(0, 1, ROWS),
            "tick_count_60s": np.minimum(since, 300),
            "future_volatility": future,
            "label": (future > jump / 20).astype(int),
        }
    )
    frame.loc[[*breaks], "price_std_300s"] = np.nan
    return frame


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A generated table of the published form."""
    path = tmp_path / "seed.parquet"
    table().to_parquet(path)
    return path


def test_positives_before_breaks_are_counted(file: Path) -> None:
    """A label whose window jumps a break marks the rows before it."""
    #  rows  … 114 ─ 168 | break | 169 …     55 positives before each of three breaks
    check = before_breaks(read_published(file))
    assert check.holds
    assert check.numbers["before_breaks"] == check.numbers["positives"] == 3 * WINDOW
    assert check.shown == "165 of 165"


def test_without_the_jump_no_positive_is_left(file: Path) -> None:
    """The label is recomputed from prices in every row, and the jumps are all there is to it."""
    check = jump_makes_the_label(read_published(file))
    assert check.holds
    assert check.numbers["agree"] == check.numbers["recomputed"] == ROWS - WINDOW
    assert check.numbers["left"] == 0


def test_a_label_without_jumps_is_not_called_an_artefact(tmp_path: Path) -> None:
    """Spikes far from breaks are told apart: the checks can fail."""
    frame = table(jump=0.0)
    frame["label"] = (np.arange(ROWS) % 300 < 40).astype(int)
    frame.to_parquet(tmp_path / "other.parquet")
    found = evaluate_seed_figure(tmp_path / "other.parquet")
    assert not found["void"]
    assert any("NOT SO HERE" in line for line in seed_figure_lines(found))


def test_windows_of_rows_span_any_time(file: Path) -> None:
    """55 rows are 11 s where ticks are dense, and minutes across a break."""
    numbers = windows_of_rows(read_published(file)).numbers
    assert numbers["seconds_median"] == pytest.approx(11.0)
    assert numbers["seconds_max"] > 600


def test_a_purge_takes_what_reaches_into_the_test_part(tmp_path: Path) -> None:
    """Positives that stand on both sides of the cut are learned from until it is purged."""
    #  rows  665 ─ 699 | cut | 700 ─ 719 | break | 720 …   purged: 400 … 699, all positives
    table(breaks={720: 121.0}).to_parquet(tmp_path / "one.parquet")
    published = read_published(tmp_path / "one.parquet")
    plain, purged = (
        {entry["cut"]: entry["pr_auc"] for entry in check(published).numbers["cuts"]}
        for check in (moved_cuts, purged_cuts)
    )
    assert plain[0.7] is not None
    assert purged[0.7] is None


def test_unknown_values_are_named(file: Path) -> None:
    """The rows that 0 was put into are listed, with how many are positive."""
    check = unknown_as_zero(read_published(file))
    assert check.numbers["rows"] == [*BREAKS]
    assert check.shown == "0 of 3"


def test_only_this_path_takes_unknown_for_zero(file: Path) -> None:
    """An unknown value scores exactly as 0.0 would."""
    published = read_published(file)
    train = np.arange(ROWS) < published.cut
    zero = np.nan_to_num(published.features)
    left = published_scores(published.features, published.positive, train, ~train)
    np.testing.assert_array_equal(left, published_scores(zero, published.positive, train, ~train))


def test_each_check_has_a_number_beside_a_sentence(file: Path) -> None:
    """Three figures come first, then every check in a line of its own."""
    found = evaluate_seed_figure(file)
    lines = seed_figure_lines(found)
    assert [line.split()[0] for line in lines[1:4]] == [
        f"{found['published'][name]:.4f}" for name in ("pr_auc", "precision", "recall")
    ]
    assert len(lines) == 5 + len(found["checks"])
    assert all(
        check["shown"] in line for check, line in zip(found["checks"], lines[5:], strict=True)
    )


def spoiled(what: str) -> pd.DataFrame:
    """Spoil the table in one way."""
    frame = table()
    if what == "empty":
        return frame.iloc[:0]
    if what == "unsorted":
        return frame.iloc[[1, 0, *range(2, ROWS)]]
    if what == "unknown price":
        frame.loc[4, "price"] = np.nan
    elif what == "infinite":
        frame["tick_count_60s"] = frame["tick_count_60s"].astype(float).replace(9.0, np.inf)
    elif what == "single class":
        frame["label"] = 0
    elif what == "no label":
        return frame.drop(columns="label")
    elif what == "label of two":
        frame.loc[2, "label"] = 2
    return frame


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("empty", "seed.parquet, row 1: found the end of the file"),
        ("unsorted", "seed.parquet, row 2: found 2025-11-08.* expected rows in time order"),
        ("unknown price", "seed.parquet, row 5: found nan in price, expected a finite number"),
        ("infinite", "seed.parquet, row 10: found inf in tick_count_60s"),
        ("single class", "seed.parquet, rows 1 to 1000: found 0 positive labels, expected both"),
        ("no label", "seed.parquet, header: found no label"),
        ("label of two", "seed.parquet, row 3: found 2 in label, expected 0 or 1"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, what: str, said: str) -> None:
    """The refusal names file, row and reason."""
    path = tmp_path / "seed.parquet"
    spoiled(what).to_parquet(path)
    with pytest.raises(DatasetError, match=said):
        evaluate_seed_figure(path)


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    """Missing and damaged files are named."""
    (tmp_path / "seed.parquet").write_bytes(b"no parquet")
    for name in ("seed.parquet", "absent.parquet"):
        with pytest.raises(DatasetError, match=f"{name}: found .*, expected a readable table"):
            evaluate_seed_figure(tmp_path / name)


@pytest.mark.captures
def test_the_published_figure_comes_out_to_four_digits(captures: Path) -> None:
    """The very file gives 0.8917 / 0.9434 / 0.8772, and every check calls it void."""
    found = evaluate_seed_figure(captures / "seed_features_sample_1000rows.parquet")
    figure = found["published"]
    shown = [f"{figure[name]:.4f}" for name in ("pr_auc", "precision", "recall", "roc_auc")]
    assert shown == ["0.8917", "0.9434", "0.8772", "0.9892"]
    assert (figure["hits"], figure["alarms"], figure["positives"]) == (50, 53, 57)
    assert (figure["columns"], figure["nan_set_to_0"]) == (24, 36)
    assert found["void"]
    checks = {check["name"]: check for check in found["checks"]}
    assert checks["one_column_ranks_as_well"]["shown"] == "0.9935"
    assert checks["positives_lie_before_breaks"]["shown"] == "165 of 167"
    purged = checks["purge_leaves_prevalence"]["numbers"]["cuts"]
    assert [round(entry["pr_auc"] - entry["prevalence"], 9) for entry in purged[1:]] == [0.0] * 4
    assert purged[0]["pr_auc"] == pytest.approx(0.38, abs=0.005)
    assert [entry["equal_scores"] for entry in purged[1:]] == [True] * 4
    assert purged[3]["pr_auc_of_log_odds"] == pytest.approx(0.876, abs=0.005)
