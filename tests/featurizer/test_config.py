"""Settings by environment."""

import pytest
from pydantic import ValidationError

from featurizer.config import Settings
from featurizer.level.seeds import read_seeds


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables begin with FEATURIZER_."""
    monkeypatch.setenv("FEATURIZER_PORT", "9999")
    monkeypatch.setenv("FEATURIZER_GROUP", "blue")
    settings = Settings()
    assert (settings.port, settings.group) == (9999, "blue")


def test_default_port_is_that_of_the_design() -> None:
    """The featurizer's probes and metrics are on 9102."""
    assert Settings.model_fields["port"].default == 9102


def test_settings_do_not_change() -> None:
    """They are read once."""
    with pytest.raises(ValidationError):
        Settings().port = 1


def test_seeds_are_the_package_s_or_those_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read is refused at the start."""
    assert read_seeds(Settings().seeds).of("coinbase", "BTC-USD") is not None
    monkeypatch.setenv("FEATURIZER_SEEDS", "[]")
    assert Settings().seeds == "[]"
    monkeypatch.setenv("FEATURIZER_SEEDS", "[{}]")
    with pytest.raises(ValidationError, match="product"):
        Settings()
