"""Splitters: what is learned from never overlaps what is tested."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_score

from training.data.splits import (
    Fold,
    LeaveOneGroupOut,
    PurgedBlocks,
    Times,
    WalkForward,
    groups_of,
    label_end_us,
)
from training.errors import FitError

SECOND = 1_000_000


@st.composite
def times(draw: st.DrawFn) -> Times:
    """Return rows' times in order: runs of seconds, some with two products, with gaps between."""
    # Runs and gaps are drawn, their thousand rows seeded: a thousand draws take a second.
    chance, parts, now = np.random.default_rng(draw(st.integers(0, 2**32))), [], 0
    for _ in range(draw(st.integers(1, 5))):
        now += draw(st.integers(1, 900))
        steps = chance.choice((1, 1, 1, 1, 2), draw(st.integers(10, 200)))
        seconds = now + np.cumsum(steps)
        now = int(seconds[-1])
        seconds = np.repeat(seconds, chance.integers(1, 3, len(seconds)))
        parts.append(seconds * SECOND + chance.integers(0, SECOND, len(seconds)))
    return np.sort(np.concatenate(parts))


def assert_apart(time_us: Times, fold: Fold) -> None:
    """No training label meets the test part's time; none follows within the embargo."""
    train, test = fold
    first, last = time_us[test].min(), label_end_us(time_us[test]).max()
    starts, ends = time_us[train], label_end_us(time_us[train])
    assert not np.any((starts < last) & (ends > first))
    assert not np.any((starts >= first) & (starts < last + 300 * SECOND))
    assert not set(train) & set(test)


@settings(max_examples=40, deadline=None)
@given(time_us=times(), blocks=st.integers(2, 6))
def test_no_training_label_overlaps_a_tested_block(time_us: Times, blocks: int) -> None:
    """Purge and embargo hold for every block, and every row is tested exactly once."""
    folds = list(PurgedBlocks(time_us, blocks).split(time_us))
    for fold in folds:
        assert_apart(time_us, fold)
    tested = np.concatenate([test for _, test in folds])
    assert sorted(tested) == list(range(len(time_us)))


@settings(max_examples=40, deadline=None)
@given(time_us=times())
def test_no_training_label_overlaps_a_tested_group(time_us: Times) -> None:
    """Purge and embargo hold for groups, even where they follow one another closely."""
    gaps = np.diff(time_us, prepend=time_us[0]) > 60 * SECOND
    group = np.cumsum(gaps).astype(np.intp)
    splitter = LeaveOneGroupOut(time_us, group)
    folds = list(splitter.split(time_us))
    for fold in folds:
        assert_apart(time_us, fold)
        assert len(set(group[fold[1]])) == 1
    assert len(folds) == splitter.get_n_splits()


@settings(max_examples=20, deadline=None)
@given(time_us=times())
def test_all_products_of_a_second_share_a_block(time_us: Times) -> None:
    """A block never ends inside a second."""
    ends = [time_us[test].max() // SECOND for _, test in PurgedBlocks(time_us, 3).split(time_us)]
    starts = [time_us[test].min() // SECOND for _, test in PurgedBlocks(time_us, 3).split(time_us)]
    assert all(end < start for end, start in zip(ends[:-1], starts[1:], strict=True))


def test_rows_far_from_the_test_part_stay() -> None:
    """Purge and embargo take no more than they must."""
    #  seconds  0 … 99 | 100 … 199 tested | 200 …
    #  kept     labels of 0 … 39 end by second 100; from 260 + 300 on the look-back is clear
    time_us = np.arange(1000, dtype=np.int64) * SECOND
    train, test = list(PurgedBlocks(time_us, 10).split(time_us))[1]
    assert (test.min(), test.max()) == (100, 199)
    assert set(train) == {*range(40), *range(560, 1000)}


def test_scikit_learn_takes_it_as_its_own() -> None:
    """A splitter can be the ``cv`` of scikit-learn."""
    time_us = np.arange(2000, dtype=np.int64) * SECOND
    scores = cross_val_score(
        DummyClassifier(), np.zeros((2000, 1)), time_us % 2 == 0, cv=PurgedBlocks(time_us, 4)
    )
    assert len(scores) == 4


def test_rows_of_another_length_are_refused() -> None:
    """A splitter made for other rows says so."""
    splitter = PurgedBlocks(np.arange(10, dtype=np.int64))
    with pytest.raises(FitError, match="found 3 rows to split, expected 10"):
        list(splitter.split([1, 2, 3]))


def test_captures_that_share_time_are_one_group() -> None:
    """Two products of one hour cannot vouch for one another, nor can neighbours in time."""
    hour = 3600 * SECOND
    spans = [(5 * hour, 6 * hour), (0, hour), (hour // 2, 2 * hour), (2 * hour + 60, 3 * hour)]
    assert groups_of(spans) == [1, 0, 0, 0]


@settings(max_examples=40, deadline=None)
@given(time_us=times(), inside=st.integers(20, 400))
def test_walking_forward_learns_only_from_before(time_us: Times, inside: int) -> None:
    """Every training label ends an embargo before the test part; pieces never share a group."""
    gaps = np.diff(time_us, prepend=time_us[0]) > 60 * SECOND
    group = np.cumsum(gaps).astype(np.intp)
    splitter = WalkForward(time_us, group, inside)
    folds = list(splitter.split(time_us))
    for train, test in folds:
        assert len(set(group[test])) == 1
        ends = label_end_us(time_us[train])
        assert not len(train) or ends.max() + 300 * SECOND <= time_us[test].min()
    assert len(folds) == splitter.get_n_splits()


@settings(max_examples=40, deadline=None)
@given(time_us=times(), inside=st.integers(20, 400))
def test_walking_forward_tests_all_but_the_first_piece_once(time_us: Times, inside: int) -> None:
    """Pieces come in order of time, and no row is tested twice."""
    group = np.zeros(len(time_us), dtype=np.intp)
    tests = [test for _, test in WalkForward(time_us, group, inside).split(time_us)]
    tested = np.concatenate([*tests, np.empty(0, np.intp)])
    assert list(tested) == list(range(len(time_us) - len(tested), len(time_us)))


def test_only_a_long_capture_is_walked_through_inside() -> None:
    """Thirty usable minutes make two pieces; one second less stays whole."""
    #  group 0: 1800 s, two pieces of 900; group 1: 1799 s, one piece
    second = np.concatenate([np.arange(1800), 10_000 + np.arange(1799)]).astype(np.int64)
    group = np.repeat([0, 1], [1800, 1799])
    tests = [test for _, test in WalkForward(second * SECOND, group).split(second)]
    assert [(test.min(), test.max()) for test in tests] == [(900, 1799), (1800, 3598)]
