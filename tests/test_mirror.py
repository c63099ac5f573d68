"""Test folders mirror the packages: what computes is tested in a file of its name."""

import ast
from pathlib import Path

import pytest

from tests.consistency.test_purity import CORES, MODULES

TESTS = Path(__file__).resolve().parent
TESTED_WITH = {
    "adapter.limit": "adapter/test_limits.py",
    "adapter.openapi": "adapter/test_front.py",
    "local.services": "consistency/test_services.py",
    "promotion.atomic_replace": "promotion/test_promoter.py",
    "promotion.log": "promotion/test_promoter.py",
    "promotion.model_pair": "promotion/test_promoter.py",
    "promotion.model_store": "promotion/test_promoter.py",
    "promotion.run_folder": "promotion/test_promoter.py",
    "simulator.moods": "simulator/test_market.py",
    "simulator.tape": "simulator/test_exchange.py",
    "training.external.columns": "training/external/test_tables.py",
    "training.external.published_flaws": "training/external/test_published_figure.py",
    "training.external.published_importances": "training/external/test_published_figure.py",
    "training.external.readers": "training/external/test_tables.py",
    "training.external.seed_figure": "training/external/test_published_figure.py",
    "training.external.trailing": "training/external/test_seconds.py",
    "training.external.walk_forward": "training/external/test_minutes.py",
    "training.batch.columns": "training/batch/test_sums.py",
    "training.batch.places": "training/batch/test_labelled.py",
    "training.batch.seconds": "training/batch/test_labelled.py",
    "training.batch.squares": "training/batch/test_labelled.py",
    "training.data.progress": "training/data/test_frames.py",
    "training.evaluation.importances": "training/commands/test_train.py",
    "training.evaluation.rule_comparison": "training/commands/test_train.py",
    "training.evaluation.saved_models": "training/commands/test_train.py",
    "training.card": "training/commands/test_train.py",
    "training.final_fit": "training/commands/test_train.py",
    "training.holdout": "training/commands/test_train.py",
    "training.models.problem": "training/evaluation/test_protocols.py",
    "training.report.data_sections": "training/commands/test_train.py",
    "training.report.document": "training/commands/test_train.py",
    "training.report.html": "training/commands/test_train.py",
    "training.report.sections": "training/commands/test_train.py",
}
"""Cores that are tested through others, in a file of another name; it only gets shorter."""


def computes(source: Path) -> bool:
    """Say whether a module has a function, so that there is something to test."""
    nodes = ast.walk(ast.parse(source.read_text()))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes)


def own_file(module: str) -> Path:
    """Return where the tests of a module stand: ``part/test_name.py`` for ``part.name``."""
    *folders, name = module.split(".")
    return TESTS.joinpath(*folders, f"test_{name}.py")


COMPUTING = [
    name
    for name in CORES
    if MODULES[name].path.name != "__init__.py" and computes(MODULES[name].path)
]


@pytest.mark.parametrize("module", COMPUTING)
def test_a_core_module_has_its_test_file(module: str) -> None:
    """Of its own name, or the one that the table says."""
    listed = TESTED_WITH.get(module)
    assert (TESTS / listed if listed else own_file(module)).is_file()


def test_no_module_is_listed_that_has_a_file() -> None:
    """What got a file of its own, or is gone, leaves the table."""
    stale = [name for name in TESTED_WITH if name not in COMPUTING or own_file(name).is_file()]
    assert stale == []
