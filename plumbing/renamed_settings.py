"""Settings whose name changed: the old one is read for one more release, with a warning.

Mixed in before ``BaseSettings``; ``renamed`` maps a field to its old variable::

    class TrainingSettings(RenamedSettings, PromotionSettings):
        renamed: ClassVar[Mapping[str, str]] = {"holdout": "TRAINING_SEALED"}
"""

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource


class RenamedSettings:
    """A mixin: a variable of this release goes before the old one of the same field."""

    renamed: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the old names last, as pydantic-settings asks its classes for their sources."""
        old = _OldNames(settings_cls, cls.renamed)
        return init_settings, env_settings, dotenv_settings, file_secret_settings, old


class _OldNames(EnvSettingsSource):
    """The environment under the names of the release before."""

    def __init__(self, settings_cls: type[BaseSettings], renamed: Mapping[str, str]) -> None:
        super().__init__(settings_cls)
        self._renamed = renamed

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return what stands under the field's old name, None if it has none or is not set."""
        old = self._renamed.get(field_name)
        value = None if old is None else self.env_vars.get(old.lower())
        if value is not None:
            new = f"{self.env_prefix}{field_name}".upper()
            warnings.warn(
                f"found the setting {old}, expected its new name {new}:"
                " the old one is read for one more release",
                FutureWarning,
                stacklevel=2,
            )
        return value, field_name, self.field_is_complex(field)
