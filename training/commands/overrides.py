"""What the command line gives goes before the settings."""

from typing import Any

from training.config import TrainingSettings


def with_overrides(settings: TrainingSettings, **given: Any) -> TrainingSettings:
    """Return the settings with each value that was given in place of theirs."""
    return settings.model_copy(update={name: value for name, value in given.items() if value})
