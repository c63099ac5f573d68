"""Settings by environment."""

import pytest
from pydantic import ValidationError

from featurizer.config import Settings


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
