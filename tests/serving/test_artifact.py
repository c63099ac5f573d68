"""A model folder is written in equal bytes and believed only when every digest is right."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from featurizer.features import FEATURES, FEATURES_DIGEST, NAMES, REQUIRED, digest_of, names_of
from serving.artifact import ArtifactError, load_folder, write_folder
from serving.card import installed_libraries, installed_version
from serving.linear import Linear
from serving.predictor import outputs_of, plain_predictor
from serving.relative import VOLATILITIES, Relative
from serving.tensor import OUTPUT, SEVERE, width_for

ROOT = Path(__file__).resolve().parents[2]
FIRST_DIGEST = "53c936bf0205029b2d83d8020c9cdc10986a9c9509c272c3e6835e5af1cb8147"


def contents(path: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {file.name: file.read_bytes() for file in path.iterdir()}


def sign_again(path: Path) -> None:
    """Make the sums right again after a change, as someone who writes the folder could."""
    names = [line.split("  ")[1] for line in (path / "SHA256SUMS").read_text().splitlines()]
    sums = [f"{hashlib.sha256((path / n).read_bytes()).hexdigest()}  {n}\n" for n in names]
    (path / "SHA256SUMS").write_text("".join(sums))
    (path / "model-settings.json").unlink()


def change_json(path: Path, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Edit one JSON file of a folder."""
    document = json.loads((path / name).read_text())
    change(document)
    (path / name).write_text(json.dumps(document))


def test_round_trip(folder: Path, linear: Linear) -> None:
    """What was written is loaded: the numbers, the card and the digests."""
    artifact = load_folder(folder)
    assert artifact.linear == linear
    assert artifact.info.variant == "ml"
    assert artifact.info.tau == {"BTC-USD": 0.0012, "ETH-USD": 0.0017}
    assert artifact.info.threshold == {"BTC-USD": 0.5, "ETH-USD": 0.4}
    assert artifact.info.features_digest == FEATURES_DIGEST
    assert artifact.card.libraries == installed_libraries()
    assert type(artifact.unpickle()).__name__ == "Pipeline"


def test_digest_is_that_of_the_sums(folder: Path) -> None:
    """The digest is the SHA-256 of SHA256SUMS, the version its first 12 digits."""
    info = load_folder(folder).info
    assert info.digest == hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    assert info.version == info.digest[:12]


@pytest.mark.process
def test_sums_are_those_of_sha256sum(folder: Path) -> None:
    """``sha256sum --check`` accepts the folder and it covers model, card and Pipeline."""
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:3] == ["card.json: OK", "model.joblib: OK", "model.json: OK"]


def test_equal_models_have_equal_bytes(
    folder: Path, tmp_path: Path, linear: Linear, pipeline: Any, card_of: Any
) -> None:
    """Writing the same model anew gives the same bytes in every file."""
    again = tmp_path / "again" / "ml"
    write_folder(again, variant="ml", linear=linear, card=card_of(linear.score), pipeline=pipeline)
    assert contents(again) == contents(folder)


def test_overwriting_drops_an_old_pipeline(
    folder: Path, linear: Linear, baseline: Linear, card_of: Any
) -> None:
    """A folder that is written over keeps nothing of the model before."""
    write_folder(folder, variant="baseline", linear=baseline, card=card_of(baseline.score))
    assert not (folder / "model.joblib").exists()
    assert load_folder(folder).linear == baseline


@pytest.mark.parametrize("name", ["model.json", "card.json", "model.joblib", "SHA256SUMS"])
def test_any_changed_byte_is_refused(folder: Path, name: str) -> None:
    """One changed byte in any file is found, and the message names file, found and expected."""
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(bytes(data))
    with pytest.raises(ArtifactError, match=rf"{name} has .* [0-9a-f]{{64}}, expected [0-9a-f]"):
        load_folder(folder)


def test_nothing_is_unpickled_while_loading(folder: Path) -> None:
    """A Pipeline that would not even unpickle is still verified and loaded as numbers."""
    (folder / "model.joblib").write_bytes(b"not a pickle")
    sign_again(folder)
    artifact = load_folder(folder)
    assert artifact.linear is not None
    assert artifact.pickled == b"not a pickle"


def test_other_digest_than_the_settings_is_refused(folder: Path) -> None:
    """The digest in model-settings.json decides, even if all sums are consistent."""
    settings = (folder / "model-settings.json").read_bytes()
    change_json(folder, "card.json", lambda card: card["tau"].update({"BTC-USD": 0.5}))
    sign_again(folder)
    (folder / "model-settings.json").write_bytes(settings)
    with pytest.raises(ArtifactError, match=r"SHA256SUMS has digest .* expected"):
        load_folder(folder)


def test_other_digest_than_demanded_is_refused(folder: Path) -> None:
    """A caller that knows the digest gets this model or none."""
    with pytest.raises(ArtifactError, match=f"expected {'0' * 64}"):
        load_folder(folder, digest="0" * 64)


def test_settings_without_digest_are_refused(folder: Path) -> None:
    """model-settings.json must say which model it means."""
    change_json(folder, "model-settings.json", lambda settings: settings["parameters"].clear())
    with pytest.raises(ArtifactError, match=r"no parameters\.extra\.digest"):
        load_folder(folder)


@pytest.mark.parametrize("name", ["SHA256SUMS", "card.json"])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    """A folder without one of its files says which."""
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=f"model folder ml: cannot read {name}"):
        load_folder(folder)


def test_sums_may_not_lead_out_of_the_folder(folder: Path) -> None:
    """Only the files of the contract are ever read."""
    with (folder / "SHA256SUMS").open("a") as sums:
        sums.write(f"{'0' * 64}  ../secret\n")
    (folder / "model-settings.json").unlink()
    with pytest.raises(ArtifactError, match=r"lists \['../secret'"):
        load_folder(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card.update(features_digest="f" * 64), "features_digest f{64}, expected"),
        (lambda card: card.update(variant="other"), "variant 'other' .* 'ml' .* expected the same"),
        (lambda card: card.update(dialect="morse"), "not a card: .*morse"),
        (lambda card: card.pop("tau"), "not a card: .*tau"),
        (lambda card: card["golden"]["rows"].pop(), "6 golden rows and 7 scores"),
        (lambda card: card["golden"]["rows"][0].pop(), f"one row of {len(NAMES)} values"),
        (lambda card: card.update(golden={"rows": [], "scores": []}), "0 golden rows"),
    ],
)
def test_card_that_does_not_fit_is_refused(
    folder: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    """A card that cannot go with our features is refused, though all sums are right."""
    change_json(folder, "card.json", change)
    sign_again(folder)
    with pytest.raises(ArtifactError, match=message):
        load_folder(folder)


def test_model_that_is_no_object_is_refused(folder: Path) -> None:
    """model.json must hold an object."""
    (folder / "model.json").write_text("[1]")
    sign_again(folder)
    with pytest.raises(ArtifactError, match=r"model\.json is list, expected an object"):
        load_folder(folder)


@pytest.mark.parametrize("library", ["scikit-learn", "numpy", "joblib"])
def test_other_library_is_refused_before_unpickling(folder: Path, library: str) -> None:
    """A library of another version than the card's is named with found and expected."""
    change_json(folder, "card.json", lambda card: card["libraries"].update({library: "0.0.1"}))
    (folder / "model.joblib").write_bytes(b"not a pickle")
    sign_again(folder)
    found = installed_version(library)
    with pytest.raises(ArtifactError, match=f"found {library} {found}, expected 0.0.1"):
        load_folder(folder).unpickle()


@pytest.mark.parametrize(("python", "fits"), [("3.11.99", True), ("3.12.1", False)])
def test_python_may_differ_by_its_patch_only(folder: Path, python: str, fits: bool) -> None:
    """Another patch of Python unpickles, another minor version is refused."""

    def installed(package: str) -> str:
        return python if package == "python" else installed_version(package)

    change_json(folder, "card.json", lambda card: card["libraries"].update(python="3.11.7"))
    sign_again(folder)
    artifact = load_folder(folder)
    if fits:
        assert artifact.unpickle(installed)
    else:
        with pytest.raises(ArtifactError, match=r"found python 3\.12\.1, expected 3\.11\.7"):
            artifact.unpickle(installed)


def test_missing_library_is_said(folder: Path) -> None:
    """Where scikit-learn is absent the message says so."""
    with pytest.raises(ArtifactError, match="found scikit-learn not installed, expected"):
        load_folder(folder).unpickle(lambda _: "not installed")


def test_installed_version_of_nothing() -> None:
    """A package that is not there has a name for its version."""
    assert installed_version("no-such-package-here") == "not installed"


def test_model_without_pipeline_has_nothing_to_unpickle(
    tmp_path: Path, baseline: Linear, card_of: Any
) -> None:
    """Asking a baseline for its Pipeline is an error with a name."""
    path = tmp_path / "baseline"
    write_folder(path, variant="baseline", linear=baseline, card=card_of(baseline.score))
    with pytest.raises(ArtifactError, match=r"found no model\.joblib for baseline"):
        load_folder(path).unpickle()


def test_writing_what_could_not_be_loaded_fails(
    tmp_path: Path, linear: Linear, card_of: Any
) -> None:
    """A wrong card is found when it is written, not when it is served."""
    card = card_of(linear.score, threshold={"BTC-USD": "high"})
    with pytest.raises(ArtifactError, match="not a card"):
        write_folder(tmp_path / "ml", variant="ml", linear=linear, card=card)


@pytest.mark.parametrize("width", range(len(REQUIRED), len(NAMES) + 1))
def test_a_card_is_over_the_features_there_were(
    tmp_path: Path, baseline: Linear, card_of: Any, width: int
) -> None:
    """A model of before loads; what its golden rows could not know is unknown, scores stay."""
    card = card_of(baseline.score, features_digest=digest_of(FEATURES[:width]))
    rows = [row[:width] for row in card["golden"]["rows"]]
    card["golden"]["rows"] = rows
    write_folder(tmp_path, variant="baseline", linear=baseline, card=card)
    golden = load_folder(tmp_path).card.golden
    assert golden.rows == [[*row, *[None] * (len(NAMES) - width)] for row in rows]
    assert [baseline.score(row) for row in golden.rows] == golden.scores


def test_a_digest_of_before_is_that_of_equal_definitions(
    tmp_path: Path, baseline: Linear, card_of: Any
) -> None:
    """The first release made its digest of prose; its models, over its features, still load."""
    card = card_of(baseline.score, features_digest=FIRST_DIGEST)
    card["golden"]["rows"] = [row[: len(REQUIRED)] for row in card["golden"]["rows"]]
    info = write_folder(tmp_path, variant="baseline", linear=baseline, card=card)
    assert info.features_digest == FIRST_DIGEST
    assert names_of(FIRST_DIGEST) == REQUIRED


@pytest.mark.parametrize("variant", ["ml", "baseline"])
def test_the_models_of_the_repository_give_their_golden_scores(variant: str) -> None:
    """They serve whatever features came since they were trained."""
    artifact = load_folder(ROOT / "model-settings" / variant)
    predictor, golden = plain_predictor(artifact), artifact.card.golden
    assert predictor is not None
    said = outputs_of(predictor, golden.inputs)
    assert (said[OUTPUT], said.get(SEVERE, [])) == (golden.scores, golden.severe)


@pytest.mark.process
def test_loading_needs_no_scikit_learn(folder: Path) -> None:
    """Loading and scoring by numbers imports neither scikit-learn nor joblib nor MLServer."""
    code = (
        "import sys; from pathlib import Path; from serving.artifact import load_folder\n"
        "print(load_folder(Path(sys.argv[1])).linear.score([None] * int(sys.argv[2])))\n"
        "print({'sklearn', 'joblib', 'mlserver'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(len(NAMES))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    score, imported = done.stdout.splitlines()
    assert 0 <= float(score) <= 1
    assert imported == "set()"


def test_a_model_in_units_of_the_level(
    relative_folder: Path, relative: Relative, relative_card: dict[str, Any]
) -> None:
    """It is written and read with its default τ and the thresholds of every budget."""
    artifact = load_folder(relative_folder)
    assert (artifact.relative, artifact.linear) == (relative, None)
    assert artifact.features == VOLATILITIES
    assert artifact.info.relative
    assert artifact.info.default_tau == relative_card["default_tau"]
    assert artifact.info.thresholds == relative_card["thresholds"]
    assert (artifact.info.tau, artifact.info.threshold) == ({}, {})
    assert json.loads((relative_folder / "card.json").read_text())["base_rates"] == {
        "score": 0.09,
        "severe": 0.02,
    }
    settings = json.loads((relative_folder / "model-settings.json").read_text())
    assert settings["inputs"][0]["shape"] == [-1, width_for(len(NAMES), tau=True)]
    assert [output["name"] for output in settings["outputs"]] == ["score", "severe"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card.pop("default_tau"), "default_tau None"),
        (lambda card: card.update(default_tau=0.0), "default_tau 0.0 .* expected one above 0"),
        (lambda card: card["thresholds"].pop("spike"), "found thresholds .* expected each for"),
        (lambda card: card["thresholds"]["spike"].pop("4"), "found thresholds"),
        (lambda card: card["thresholds"]["spike"].update({"4": 0.0}), "found the threshold 0.0"),
        (lambda card: card["golden"].pop("tau"), "golden rows without tau or severe"),
        (lambda card: card.update(base_rates={"score": 0.5, "severe": 0.1}), "found base_rates"),
    ],
)
def test_a_card_that_does_not_fit_units_of_the_level_is_refused(
    relative_folder: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    """What its readers are told must all be there."""
    change_json(relative_folder, "card.json", change)
    sign_again(relative_folder)
    with pytest.raises(ArtifactError, match=message):
        load_folder(relative_folder)
