"""Settings of the ingestor."""

import pytest

from ingestor.config import Settings


def test_defaults_are_the_live_market() -> None:
    """Without any setting the real exchange is read, all three channels."""
    settings = Settings()
    assert settings.ws_url == "wss://advanced-trade-ws.coinbase.com"
    assert settings.product_ids == ("BTC-USD",)
    assert settings.channel_names == ("ticker", "heartbeats", "market_trades")
    assert settings.port == 9101


def test_products_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are plain text in the environment."""
    monkeypatch.setenv("INGESTOR_PRODUCTS", "BTC-USD, ETH-USD")
    assert Settings().product_ids == ("BTC-USD", "ETH-USD")


def test_every_setting_says_what_it_is() -> None:
    """Each field has a sentence under it."""
    assert all(field.description for field in Settings.model_fields.values())
