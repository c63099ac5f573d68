"""What the pair learns from: Coinbase's own files alone, each named with its licence."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from signals.budgets import BUDGETS
from tests.training.made_up import made_up, write_all
from training.errors import DatasetError
from training.relative.evidence import (
    choose_thresholds,
    fit_pair,
    judge_venues,
    read_days,
    read_learned,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., Path]) -> Path:
    """A folder as the real one."""
    return write_all(tmp_path_factory.mktemp("data"), write)


def test_files_are_named_with_licence_and_counts(data: Path) -> None:
    """Minutes first, then each capture; together they are all that is learned from."""
    learned = read_learned(data)
    names = [each["file"] for each in learned.files]
    assert names == ["exch_minutes_btc_20260706_20260805.csv.gz", "adv_1.ndjson", "adv_2.ndjson"]
    assert [each["licence"] for each in learned.files] == ["MIT", "none stated", "none stated"]
    assert sum(each["examples"] for each in learned.files) == len(learned.examples)
    assert learned.digest == read_learned(data).digest


def test_what_is_absent_is_named(tmp_path: Path) -> None:
    """All of it, before anything is read."""
    with pytest.raises(DatasetError, match=r"found no external/bitmex.*exch_minutes.*adv_"):
        read_learned(tmp_path)


def test_the_baseline_looks_at_the_last_minute_alone() -> None:
    """Whatever the longer windows say."""
    fits, other = fit_pair(made_up(20)), made_up(2, seed=3)
    changed = other.take(np.ones(len(other), np.bool_))
    changed.volatility[:, 1:] *= 7.0
    for variant, same in (("baseline", True), ("ml", False)):
        said = [fits[variant].chances(each).score for each in (other, changed)]
        assert np.array_equal(*said) == same


@pytest.mark.exhaustive
def test_thresholds_and_figures_are_of_every_venue(data: Path) -> None:
    """θ of each budget, given or refused; both events of each venue."""
    learned, days = read_learned(data), read_days(data)
    choices = choose_thresholds(fit_pair(learned.examples)["ml"], days)
    assert {level: tuple(found) for level, found in choices.items()} == {
        "elevated": BUDGETS,
        "spike": BUDGETS,
    }
    judged = judge_venues(learned.examples, days)
    assert list(judged) == ["BitMEX", "BTC-e", "Binance"]
    assert all(set(of) == {"score", "severe"} for of in judged.values())
