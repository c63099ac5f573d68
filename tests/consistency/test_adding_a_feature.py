"""``docs/adding-a-feature.md`` is followed, by what stands on it, in a copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from featurizer.features import FEATURES

pytestmark = [
    pytest.mark.process,
    pytest.mark.timeout(900),  # six processes of Python, beside whatever load there is
]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "adding-a-feature.md").read_text()
COPIED = ("charts", "docs", "model-settings", "tests", "README.md", "pyproject.toml")
DIGESTS = "tests/featurizer/test_statistic.py"
CHECKS = (
    f"{DIGESTS}::test_the_digest_of_a_feature_is_that_of_what_it_computes",
    "tests/featurizer/test_engine.py::test_worked_example_gives_the_row_of_the_text",
    "tests/featurizer/test_engine.py::test_null_until_enough_of_the_window_is_known",
    "tests/featurizer/test_row.py::test_row_has_the_features_in_order",
    "tests/featurizer/test_row.py::test_a_row_of_an_older_writer_has_what_came_later_unknown",
    "tests/featurizer/test_features.py::test_the_digest_of_so_many_features_names_them",
    "tests/serving/test_tensor.py::test_a_client_of_before_sends_fewer_columns",
    "tests/serving/test_artifact.py::test_a_card_is_over_the_features_there_were",
    "tests/serving/test_artifact.py::test_a_digest_of_before_is_that_of_equal_definitions",
    "tests/serving/test_artifact.py::test_the_models_of_the_repository_give_their_golden_scores",
    "tests/serving/test_predictor.py::test_a_pipeline_of_before_takes_its_features_where_they_were",
    "tests/serving/test_reference.py::test_a_reference_is_over_the_features_there_were",
    "tests/scorer/test_variants.py::test_what_came_later_may_be_absent",
    "tests/adapter/test_pages.py",
    "tests/adapter/test_predict.py::test_what_came_later_may_be_absent",
    "tests/adapter/test_predict.py::test_the_first_release_is_enough",
    "tests/consistency/test_features_doc.py",
)
"""What the page promises: rows, tensors of every width, `/predict`, kept models, the examples."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the checks need: packages, chart, pages, models and tests."""
    copy = tmp_path_factory.mktemp("tree")
    packages = [path.parent.name for path in ROOT.glob("*/__init__.py")]
    for name in (*packages, *COPIED):
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("e2e", "node_modules", ".*")
            shutil.copytree(ROOT / name, copy / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def run(tree: Path) -> Run:
    """Run Python in the copy, where its modules come before ours."""

    def running(*arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = os.environ | {"PYTHONPATH": str(tree)}
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)

    return running


@pytest.fixture(scope="module")
def edited(tree: Path, run: Run) -> list[Path]:
    """Do what the page says, and nothing else; gives the files that were edited by hand."""
    statistic, row = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    statistics, features = (tree / "featurizer" / f"{n}.py" for n in ("statistic", "features"))
    statistics.write_text(f"{statistics.read_text()}\n\n{statistic}")
    head, end, tail = features.read_text().partition('\n)\n"""A new one is appended')
    features.write_text(f"{head}\n{row.rstrip()}{end}{tail}")
    said = run("-m", "pytest", "-q", "--noconftest", "-p", "no:cacheprovider", CHECKS[0]).stdout
    [digest] = set(re.findall(r'computes what has the digest "([0-9a-f]+)"', said))
    features.write_text(
        features.read_text().replace(row.strip(), row.strip().replace('""', f'"{digest}"'))
    )
    assert run("docs/reference.py").returncode == 0
    return [statistics, features]


def test_it_is_two_places(tree: Path, edited: list[Path]) -> None:
    """Two files of the product are edited by hand, and one page by ``make docs``."""
    changed = [
        path
        for path in tree.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and path.read_bytes() != (ROOT / path.relative_to(tree)).read_bytes()
    ]
    assert sorted(changed) == sorted([*edited, tree / "docs" / "features.md"])


def test_everything_else_goes_on(edited: list[Path], run: Run) -> None:
    """The tests that hold what the page says pass, and for one feature more than here."""
    code = "from featurizer.features import NAMES; print(len(NAMES))"
    assert int(run("-c", code).stdout) == len(FEATURES) + 1
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", *CHECKS)
    assert done.returncode == 0, done.stdout[-4000:]
