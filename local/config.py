"""What ``make demo`` is told, by environment variables without a prefix."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class DemoSettings(BaseSettings):
    """Read once; a variable set to nothing counts as unset."""

    model_config = SettingsConfigDict(
        frozen=True, env_ignore_empty=True, use_attribute_docstrings=True
    )

    feed: Literal["simulator", "coinbase"] = "simulator"
    """Where ticks come from: the simulator, or the live market."""
    recording: Path | None = None
    """Recording that the simulator replays; unset: it generates a market."""
    speed: float = Field(default=1.0, gt=0)
    """Seconds of event time that pass in one second of the simulator."""
    seed: int = 6481
    """Seed of the generated market; that of the default jumps a minute after its past."""
    volatility: Literal["moods", "wandering", "calm", "normal", "wild"] = "wandering"
    """How its volatility moves, as SIMULATOR_VOLATILITY says."""
    history: int = Field(default=4_500, ge=0, le=86_400)
    """Seconds of the past that the generated market begins with, at speed 1: an hour for the
    level, and what a bin that is open has of it; 0: its event time is of its own."""
    products: str = "BTC-USD,ETH-USD"
    """Products of the live market or of the generated one, separated by commas."""
    duration: float | None = Field(default=None, gt=0)
    """Seconds after readiness at which the demo ends with a summary; unset: by Ctrl-C."""
    run_dir: Path = Path(".run/demo")
    """Folder of the demo's own, for logs, the embedded broker's data and its state."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.feed == "coinbase" and self.recording is not None:
            raise ValueError("found RECORDING with FEED=coinbase, expected one of them")
        if self.recording is not None and not self.recording.is_file():
            raise ValueError(f"found no file at RECORDING={self.recording}")
        return self
