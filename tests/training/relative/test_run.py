"""The whole command: a run folder that a promotion takes, and the pair that is shipped."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from featurizer.level.seeds import Seeds, default_seeds
from promotion.run_folder import model_folder, read_run
from serving.artifact import load_folder
from serving.predictor import open_predictor
from signals.budgets import Choice
from tests.training.made_up import write_all
from training.data.rows import Table
from training.errors import DatasetError
from training.relative.run import default_tau, metrics_of, reference, run, theta_text, verdicts
from training.venues.judging import missing
from training.venues.stored import read_stored

SHIPPED = Path(__file__).resolve().parents[3] / "model-settings"
GAIN = {"brier": {"model": 0.1, "rule": 0.2, "gain": {"verdict": "better"}}}
JUDGED = {
    "BitMEX": {
        "score": GAIN | {"log_loss": {"model": 0.3, "rule": 0.4}},
        "severe": {loss: {"model": 0.01, "rule": 0.02} for loss in ("brier", "log_loss")},
    }
}


def silent(line: str) -> None:
    """Take what the command says."""


def numbers_of(value: Any) -> list[float]:
    """Return all numbers of a document, in their order."""
    if isinstance(value, dict):
        return [x for each in value.values() for x in numbers_of(each)]
    if isinstance(value, list):
        return [x for each in value for x in numbers_of(each)]
    return [value] if isinstance(value, float) else []


@pytest.mark.exhaustive
def test_a_run_gives_a_pair_that_serves(tmp_path: Path, write: Callable[..., Path]) -> None:
    """Both variants load, score their golden rows and have a reference; `run.json` names them."""
    data = tmp_path / "data"
    data.mkdir()
    when = datetime(2026, 1, 2, tzinfo=UTC)
    folder = run(write_all(data, write), tmp_path / "runs", silent, lambda: when)
    record = read_run(folder)
    assert record.variants() == {"ml": "relative", "baseline": "baseline"}
    for variant, name in record.variants().items():
        artifact = load_folder(model_folder(folder, name), digest=record.digests[name])
        open_predictor(artifact)
        kept = artifact.reference()
        assert artifact.info.variant == variant and artifact.info.relative
        assert kept is not None and list(kept.products) == ["BTC-USD"]
    assert json.loads((folder / "report.json").read_text())["run_id"] == folder.name


@pytest.mark.captures
@pytest.mark.exhaustive
def test_the_shipped_pair_is_what_the_data_give(captures: Path, tmp_path: Path) -> None:
    """The same files give the same numbers, within rounding, and the same θ."""
    if absent := missing(captures):
        pytest.skip(f"days of other venues: no {', '.join(absent)} beside the captures")
    folder = run(captures, tmp_path, silent)
    for variant, name in read_run(folder).variants().items():
        again = model_folder(folder, name)
        for file in ("model.json", "card.json"):
            one, two = (json.loads((at / file).read_text()) for at in (SHIPPED / variant, again))
            for document in (one, two):
                document.pop("libraries", None)
            assert numbers_of(one) == pytest.approx(numbers_of(two), rel=1e-6)
            assert one.get("thresholds") == two.get("thresholds")


def test_the_cards_say_what_the_page_of_venues_says() -> None:
    """The shipped pair's figures are those kept of what is learned on Coinbase alone."""
    kept = {each["tested"]: each for each in read_stored()[1]["coinbase_alone"]}
    for variant in ("ml", "baseline"):
        card = json.loads((SHIPPED / variant / "card.json").read_text())
        assert card["candidate"] == {"ml": "relative"}.get(variant, variant)
        for venue, events in card["judged"].items():
            for event, figures in events.items():
                assert figures == kept[venue][event]


def test_what_is_logged_is_by_venue_and_event() -> None:
    """The model's losses for one variant, the rule's for the other."""
    assert metrics_of(JUDGED, "model")["BitMEX"]["score"] == {"brier": 0.1, "log_loss": 0.3}
    assert metrics_of(JUDGED, "rule")["BitMEX"]["severe"] == {"brier": 0.02, "log_loss": 0.02}
    assert verdicts(JUDGED) == {"BitMEX": "better"}


def test_a_refused_budget_is_told_by_its_reason() -> None:
    """In place of θ."""
    text = theta_text({"spike": {4: Choice(0.2, None), 2: Choice(None, None, "always_on")}})
    assert text == "spike 4: 0.2, 2: always_on"


def test_the_default_level_is_the_packaged_seed() -> None:
    """Without one there is none."""
    assert default_tau(default_seeds()) == pytest.approx(5.92e-4, rel=1e-3)
    with pytest.raises(DatasetError, match="no seed of BTC-USD"):
        default_tau(Seeds())


def test_a_reference_needs_rows_with_a_level(market_table: Callable[..., Table]) -> None:
    """It is of what the model can be asked."""
    model = load_folder(SHIPPED / "ml").relative
    assert model is not None
    with pytest.raises(DatasetError, match="no row with a level"):
        reference(model, market_table())
