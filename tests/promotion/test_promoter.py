"""Promotion copies verified bytes, changes both variants together, and can be walked back."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from promotion.atomic_replace import STAGE, exclusive, recover, replace
from promotion.errors import PromotionError
from promotion.log import LOG, read_log
from promotion.model_pair import (
    Digests,
    ModelPair,
    checked_pair,
    copy_folders,
    digests_in,
    folders_in,
)
from promotion.promoter import Promoter, find_run
from promotion.run_folder import RECORD, RunError, read_run
from serving.artifact import FILES, SETTINGS, SUMS, load_folder

MakeRun = Callable[..., Path]
ROOT = Path(__file__).resolve().parents[2]


def silent(_: str) -> None:
    """Say nothing."""


@pytest.fixture
def promoter(tmp_path: Path) -> Promoter:
    """Promotes into an empty folder, at a fixed time."""
    return Promoter(
        root=tmp_path / "model-settings",
        store=tmp_path / "models",
        who="ada",
        say=silent,
        clock=lambda: datetime(2026, 11, 22, 21, 0, tzinfo=UTC),
    )


@pytest.fixture(scope="session")
def runs(make_run: MakeRun, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three run folders, made once and only read."""
    root = tmp_path_factory.mktemp("runs")
    return {name: make_run(root / name, seed) for seed, name in enumerate("abc", start=1)}


def in_place(promoter: Promoter) -> Digests | None:
    """Return the digests that model-settings has now."""
    return digests_in(folders_in(promoter.root))


def of_run(run: Path) -> Digests:
    """Return the digests that a promotion of this run brings."""
    record = read_run(run)
    return {variant: record.digests[name] for variant, name in record.variants().items()}


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def resum(folder: Path) -> str:
    """Make sums and settings right again after a change, as someone who writes the folder can."""
    names = sorted(set(files(folder)) - {SUMS, SETTINGS})
    lines = [f"{sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / SUMS).write_text("".join(lines))
    digest = sha256((folder / SUMS).read_bytes()).hexdigest()
    settings = json.loads((folder / SETTINGS).read_text())
    settings["parameters"] |= {"version": digest[:12], "extra": {"digest": digest}}
    (folder / SETTINGS).write_text(json.dumps(settings))
    return digest


def redigest(run: Path, candidate: str) -> None:
    """Write the digest that a candidate's folder now has into the run's record."""
    digest = resum(run / "candidates" / candidate)
    record = json.loads((run / RECORD).read_text())
    record["digests"][candidate] = digest
    (run / RECORD).write_text(json.dumps(record))


def test_promotion_copies_bytes(promoter: Promoter, runs: dict[str, Path]) -> None:
    """Every file is the same before and after, hence the digest too."""
    promotion = promoter.promote(runs["a"])
    assert promotion is not None and promotion.to == in_place(promoter) == of_run(runs["a"])
    assert files(promoter.root / "ml") == files(runs["a"] / "candidates" / "logistic_regression")
    assert set(files(promoter.root / "ml")) == set(FILES)
    assert files(promoter.root / "baseline") == files(runs["a"] / "candidates" / "baseline")
    assert {path.name for path in promoter.root.iterdir()} == {"ml", "baseline", LOG}


def test_the_log_says_who_when_what_and_why(promoter: Promoter, runs: dict[str, Path]) -> None:
    """A line names person, time, run, models before and after, and the evidence."""
    promoter.promote(runs["a"])
    promoter.promote(runs["b"], because="a wilder week")
    first, second = read_log(promoter.root)
    assert (first.who, first.when, first.run) == ("ada", "2026-11-22T21:00:00+00:00", "a")
    assert first.from_ is None
    assert second.from_ == first.to
    assert second.digest != first.digest
    assert second.evidence == {
        "winner": "logistic_regression",
        "dataset_digest": f"{2:064x}",
        "verdict": "not decidable",
        "because": "a wilder week",
    }
    raw = json.loads((promoter.root / LOG).read_text().splitlines()[1])
    assert raw["from"] == first.to


def test_what_is_in_place_is_not_promoted_again(promoter: Promoter, runs: dict[str, Path]) -> None:
    """Promoting twice leaves one line."""
    promoter.promote(runs["a"])
    assert promoter.promote(runs["a"]) is None
    assert len(read_log(promoter.root)) == 1


def test_going_back_walks_back(promoter: Promoter, runs: dict[str, Path]) -> None:
    """Each step back leads to the models before, also to those from before the log began."""
    copy_folders({v: runs["c"] / "candidates" / n for v, n in variants(runs["c"])}, promoter.root)
    promoter.promote(runs["a"])
    promoter.promote(runs["b"])
    for expected in ("a", "c"):
        promotion = promoter.go_back("drift")
        assert promotion is not None and promotion.action == "back"
        assert in_place(promoter) == promotion.to == of_run(runs[expected])
    with pytest.raises(PromotionError, match="found 4 promotions and no models before"):
        promoter.go_back()
    assert [p.run for p in read_log(promoter.root)] == ["a", "b", "a", None]


def variants(run: Path) -> list[tuple[str, str]]:
    """Return variant and candidate of a run."""
    return list(read_run(run).variants().items())


def test_forward_again_after_going_back(promoter: Promoter, runs: dict[str, Path]) -> None:
    """A new promotion after a rollback goes back to what it replaced."""
    promoter.promote(runs["a"])
    promoter.promote(runs["b"])
    promoter.go_back()
    promoter.promote(runs["c"])
    promoter.go_back()
    assert in_place(promoter) == of_run(runs["a"])


def test_models_that_are_no_longer_kept_are_fetched(
    promoter: Promoter, runs: dict[str, Path]
) -> None:
    """Without its own copy, going back asks where the models are tracked, and checks them."""
    promoter.promote(runs["a"])
    promoter.promote(runs["b"])
    kept = promoter.store / read_log(promoter.root)[0].digest
    kept.rename(promoter.store / "elsewhere")

    def fetch(digests: Digests, into: Path) -> bool:
        copy_folders(folders_in(promoter.store / "elsewhere"), into)
        return digests == of_run(runs["a"])

    def nothing(digests: Digests, into: Path) -> bool:
        return False

    with pytest.raises(PromotionError, match="found no whole models"):
        promoter.go_back(fetch=nothing)
    assert in_place(promoter) == of_run(runs["b"])
    promoter.go_back(fetch=fetch)
    assert in_place(promoter) == of_run(runs["a"])


CARD_CHANGES: list[tuple[str, Any, str]] = [
    ("features_digest", "0" * 64, "found a model for features_digest 0000.* expected "),
    ("libraries", {"scikit-learn": "0.1"}, "found scikit-learn .* expected 0.1"),
    ("tau", {"BTC-USD": 0.5}, r"found τ .*0.0012.* in baseline, expected that of ml, .*0.5"),
    ("dialect", "exchange", "found dialect 'advanced' in baseline, expected .*'exchange'"),
]


@pytest.mark.parametrize(("field", "value", "message"), CARD_CHANGES)
def test_a_card_that_does_not_check(
    promoter: Promoter,
    make_run: MakeRun,
    tmp_path: Path,
    field: str,
    value: object,
    message: str,
) -> None:
    """Features, libraries, τ and dialect must fit, though every digest is right."""
    run = make_run(tmp_path / "run")
    edit(run, "logistic_regression", field, value)
    with pytest.raises(PromotionError, match=message):
        promoter.promote(run)
    assert list(promoter.root.iterdir()) == []


def edit(run: Path, candidate: str, field: str, value: object) -> None:
    """Set a field of a card and make all digests right again."""
    card = run / "candidates" / candidate / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {field: value}))
    redigest(run, candidate)


def test_a_golden_row_that_scores_otherwise(
    promoter: Promoter, make_run: MakeRun, tmp_path: Path
) -> None:
    """A model that no longer gives its golden scores is refused with both numbers."""
    run = make_run(tmp_path / "run")
    path = run / "candidates" / "baseline" / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"intercept": 0.25}))
    redigest(run, "baseline")
    with pytest.raises(PromotionError, match=r"baseline: Linear scores golden row 0 .*, expected"):
        promoter.promote(run)


def test_a_changed_byte_is_refused(promoter: Promoter, make_run: MakeRun, tmp_path: Path) -> None:
    """The run's record knows the digest of each folder, whatever the folder claims."""
    run = make_run(tmp_path / "run")
    folder = run / "candidates" / "baseline"
    (folder / "model.json").write_text((folder / "model.json").read_text() + " ")
    with pytest.raises(PromotionError, match=r"model\.json has SHA-256 .*, expected"):
        promoter.promote(run)
    resum(folder)
    with pytest.raises(PromotionError, match=r"SHA256SUMS has digest .*, expected"):
        promoter.promote(run)


def test_the_server_imports_our_runtime_only(
    promoter: Promoter, make_run: MakeRun, tmp_path: Path
) -> None:
    """model-settings.json is in no sum, so what it makes the server import is compared."""
    run = make_run(tmp_path / "run")
    path = run / "candidates" / "baseline" / SETTINGS
    path.write_text(path.read_text().replace("serving.runtime.SpikeModel", "evil.Model"))
    with pytest.raises(PromotionError, match=r"found implementation 'evil.Model', expected 'serv"):
        promoter.promote(run)


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Path.touch, (self.path,)


def test_a_tampered_pickle_is_never_executed(
    promoter: Promoter, make_run: MakeRun, tmp_path: Path
) -> None:
    """A pickle with code in it is refused by its digest, before anything of it runs."""
    run, proof = make_run(tmp_path / "run"), tmp_path / "executed"
    folder = run / "candidates" / "logistic_regression"
    (folder / "model.joblib").write_bytes(pickle.dumps(Bomb(proof)))
    with pytest.raises(PromotionError, match=r"model\.joblib has SHA-256"):
        promoter.promote(run)
    resum(folder)
    with pytest.raises(PromotionError, match="SHA256SUMS has digest"):
        promoter.promote(run)
    assert not proof.exists()
    pickle.loads(pickle.dumps(Bomb(proof)))
    assert proof.exists(), "the bomb must work for this test to say anything"


@pytest.mark.process
def test_the_model_is_readable_without_unpickling(runs: dict[str, Path]) -> None:
    """Coefficients stand in plain JSON, and score without scikit-learn or joblib."""
    folder = runs["a"] / "candidates" / "logistic_regression"
    document = json.loads((folder / "model.json").read_text())
    assert set(document) >= {"features", "impute", "mean", "scale", "coef", "intercept"}
    code = (
        "import sys; from pathlib import Path; from serving.artifact import load_folder;"
        f"a = load_folder(Path({str(folder)!r})); a.linear.score(a.card.golden.rows[-1]);"
        "sys.exit(1 if {'sklearn', 'joblib'} & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60)
    assert done.returncode == 0


def test_equal_runs_have_equal_digests(make_run: MakeRun, tmp_path: Path) -> None:
    """Fitting and writing the same models twice gives the same pair."""
    one, two = make_run(tmp_path / "one"), make_run(tmp_path / "two")
    pairs = [checked_pair(run_folders(run), of_run(run)) for run in (one, two)]
    assert pairs[0].digest == pairs[1].digest
    assert isinstance(pairs[0], ModelPair)


def run_folders(run: Path) -> dict[str, Path]:
    """Return the folder of each variant of a run."""
    return {variant: run / "candidates" / name for variant, name in variants(run)}


def test_a_run_without_a_model_is_refused(
    promoter: Promoter, make_run: MakeRun, tmp_path: Path
) -> None:
    """A record that is absent, torn or lacks a digest is named with what was expected."""
    run = make_run(tmp_path / "run")
    record = json.loads((run / RECORD).read_text())
    record["digests"].pop("baseline")
    (run / RECORD).write_text(json.dumps(record))
    with pytest.raises(RunError, match=r"found digests of \['logistic_regression'\], expected bas"):
        promoter.promote(run)
    (run / RECORD).write_text("{}")
    with pytest.raises(RunError, match=r"is no record of a training: .*run_id"):
        promoter.promote(run)
    (run / RECORD).unlink()
    with pytest.raises(RunError, match=r"cannot read run\.json"):
        promoter.promote(run)


def test_latest_is_the_run_created_last(runs: dict[str, Path], tmp_path: Path) -> None:
    """A run is found by its name, or as the latest."""
    root = runs["a"].parent
    assert find_run(root, "latest") == runs["c"]
    assert find_run(root, "b") == runs["b"]
    with pytest.raises(PromotionError, match=r"found no run folder .*, expected one"):
        find_run(root, "z")
    with pytest.raises(PromotionError, match="train first"):
        find_run(tmp_path, "latest")


@pytest.mark.parametrize("fails_at", range(1, 5))
def test_a_failing_rename_changes_nothing(
    promoter: Promoter, runs: dict[str, Path], fails_at: int
) -> None:
    """Whichever of the four renames fails, both variants and the log stay as they were."""
    promoter.promote(runs["a"])
    before = files(promoter.root)
    with pytest.raises(PromotionError, match=r"nothing was changed: .*disk"):
        replace(
            promoter.root, run_folders(runs["b"]), of_run(runs["b"]), b"{}\n", failing(fails_at)
        )
    assert files(promoter.root) == before


def failing(at: int, error: BaseException | None = None) -> Callable[[Path, Path], None]:
    """Return a rename whose call number ``at`` fails; with ``error``, all later ones too."""
    calls = iter(range(1, 100))

    def rename(one: Path, two: Path) -> None:
        number = next(calls)
        if number == at or (error is not None and number > at):
            raise error or OSError("the disk says no")
        one.rename(two)

    return rename


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("killed_at", range(1, 5))
def test_a_killed_promotion_is_finished_by_the_next_command(
    promoter: Promoter, runs: dict[str, Path], killed_at: int
) -> None:
    """Killed between any two renames, the change is completed with its line in the log."""
    promoter.promote(runs["a"])
    line = b'{"a":"line"}\n'
    with pytest.raises(Killed):
        replace(
            promoter.root,
            run_folders(runs["b"]),
            of_run(runs["b"]),
            line,
            failing(killed_at, Killed()),
        )
    assert recover(promoter.root) == "finished an interrupted promotion"
    assert in_place(promoter) == of_run(runs["b"])
    assert (promoter.root / LOG).read_bytes().endswith(line)
    assert recover(promoter.root) is None


def test_damaged_staging_is_undone(promoter: Promoter, runs: dict[str, Path]) -> None:
    """What was interrupted and then damaged is not finished but taken back."""
    promoter.promote(runs["a"])
    with pytest.raises(Killed):
        replace(
            promoter.root, run_folders(runs["b"]), of_run(runs["b"]), b"{}\n", failing(3, Killed())
        )
    (promoter.root / STAGE / "new" / "baseline" / "model.json").write_text("{}")
    assert "undid" in str(recover(promoter.root))
    assert in_place(promoter) == of_run(runs["a"])


def test_two_promotions_at_once(promoter: Promoter, runs: dict[str, Path]) -> None:
    """While one promotion holds the folder another is refused."""
    with exclusive(promoter.root), pytest.raises(PromotionError, match="under way"):
        promoter.promote(runs["a"])


def test_a_changed_line_of_the_log_shows(promoter: Promoter, runs: dict[str, Path]) -> None:
    """The log is sealed line by line, and nothing is promoted on top of a broken one."""
    promoter.promote(runs["a"])
    promoter.promote(runs["b"])
    path = promoter.root / LOG
    path.write_text(path.read_text().replace("ada", "eve", 1))
    with pytest.raises(PromotionError, match=r"line 2: found previous .*, expected .*changed"):
        promoter.promote(runs["c"])
    assert load_folder(promoter.root / "ml").info.digest == of_run(runs["b"])["ml"]
