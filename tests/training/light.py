"""The table of candidates with less to compute: one of each kind still takes every step."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from training.models.candidates import CANDIDATES, Build

LIGHT: dict[str, tuple[dict[str, Any], dict[str, list[Any]]]] = {
    "logistic": ({}, {"model__C": [0.1, 1.0]}),
    "forest": ({"model__n_estimators": 4}, {"model__min_samples_leaf": [5, 60]}),
}
"""By name: parameters of the pipeline, and what its search tries."""
TWINS = ("last", "har_fitted", "har_free", "ewma", "boosting")
"""Forecasts as ``har_equal`` is one, and trees as the forest has."""


@contextmanager
def light_candidates() -> Iterator[None]:
    """Meanwhile a search has two values to choose from, trees are few, and twins are away.

    For tests of what is done with candidates. What the real ones find is for
    ``models/test_fitting.py``, and for the test of the shipped models.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name, (parameters, space) in LIGHT.items():
            real = CANDIDATES[name]
            light = replace(real, build=_with(real.build, parameters), search_space=space)
            patch.setitem(CANDIDATES, name, light)
        for name in TWINS:
            patch.delitem(CANDIDATES, name)
        yield


def _with(build: Build, parameters: dict[str, Any]) -> Build:
    return lambda names: build(names).set_params(**parameters)
