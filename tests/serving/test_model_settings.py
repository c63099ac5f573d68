"""What is committed in ``model-settings/`` loads, scores its golden rows and says so."""

import json
from pathlib import Path

import pytest
from mlserver.settings import Settings

from serving.artifact import load_folder
from serving.predictor import TOLERANCE, open_predictor, outputs_of
from serving.tensor import OUTPUT, SEVERE

REPOSITORY = Path(__file__).resolve().parents[2] / "model-settings"
FOLDERS = sorted(path.parent for path in REPOSITORY.glob("*/model-settings.json"))
ANNOTATION_BYTES = 262_144


def test_both_variants_are_there() -> None:
    """``ml`` and ``baseline`` are committed."""
    assert {"ml", "baseline"} <= {folder.name for folder in FOLDERS}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_folder_scores_its_golden_rows(folder: Path) -> None:
    """Every committed model loads with our libraries and scores its golden rows."""
    artifact = load_folder(folder)
    golden = artifact.card.golden
    said = outputs_of(open_predictor(artifact), golden.inputs)
    assert said[OUTPUT] == pytest.approx(golden.scores, abs=TOLERANCE)
    assert said.get(SEVERE, []) == pytest.approx(golden.severe, abs=TOLERANCE)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_settings_name_the_folders_model(folder: Path) -> None:
    """Name, version and digest in model-settings.json are those of the folder."""
    settings = json.loads((folder / "model-settings.json").read_text())
    info = load_folder(folder).info
    assert settings["name"] == info.variant == folder.name
    assert settings["parameters"]["version"] == info.version
    assert settings["parameters"]["extra"] == {"digest": info.digest}


def test_variants_mean_the_same_spikes() -> None:
    """All variants of one promotion have one default τ, or one table of τ."""
    levels = [(info.tau, info.default_tau) for info in (load_folder(f).info for f in FOLDERS)]
    assert all(level == levels[0] for level in levels)


def test_server_settings_leave_addresses_to_the_environment() -> None:
    """Workers, batching, debug and gzip are off; ports and host come from the environment."""
    document = json.loads((REPOSITORY / "settings.json").read_text())
    assert not {"host", "http_port", "grpc_port", "metrics_port"} & set(document)
    settings = Settings.model_validate(document)
    assert (settings.debug, settings.parallel_workers, settings.gzip_enabled) == (False, 0, False)
    assert not settings.cache_enabled


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_batching_is_off(folder: Path) -> None:
    """No model asks MLServer to batch: one bad request would fail its neighbours."""
    settings = json.loads((folder / "model-settings.json").read_text())
    assert not {"max_batch_size", "max_batch_time"} & set(settings)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_can_be_applied_as_a_config_map(folder: Path) -> None:
    """`kubectl apply` keeps the whole of it, in base64, in an annotation of 256 kB at most."""
    files = sum(4 * -(-path.stat().st_size // 3) for path in folder.iterdir())
    assert files < 0.9 * ANNOTATION_BYTES
