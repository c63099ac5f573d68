"""Every service listens on loopback unless it is told otherwise, all in the same way."""

import importlib

import pytest
from pydantic_settings import BaseSettings

SETTINGS = {
    "ingestor": "Settings",
    "featurizer": "FeaturizerSettings",
    "scorer": "ScorerSettings",
    "adapter": "AdapterSettings",
    "monitor": "MonitorSettings",
    "simulator": "Settings",
}


def _settings(service: str) -> type[BaseSettings]:
    found: type[BaseSettings] = getattr(
        importlib.import_module(f"{service}.config"), SETTINGS[service]
    )
    return found


@pytest.mark.parametrize("service", SETTINGS)
def test_one_variable_opens_all_and_each_has_its_own(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loopback by default; LISTEN_HOST for all; the service's own goes before it."""
    for name in ("LISTEN_HOST", f"{service.upper()}_HOST"):
        monkeypatch.delenv(name, raising=False)
    assert _settings(service)().host == "127.0.0.1"  # type: ignore[attr-defined]
    monkeypatch.setenv("LISTEN_HOST", "0.0.0.0")
    assert _settings(service)().host == "0.0.0.0"  # type: ignore[attr-defined]
    monkeypatch.setenv(f"{service.upper()}_HOST", "127.0.0.2")
    assert _settings(service)().host == "127.0.0.2"  # type: ignore[attr-defined]
