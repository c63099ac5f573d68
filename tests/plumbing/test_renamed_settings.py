"""An old name of a setting is read for one more release, and says so."""

import subprocess
import sys
import warnings
from collections.abc import Mapping
from typing import ClassVar

import pytest
from pydantic_settings import BaseSettings, SettingsConfigDict

from plumbing.renamed_settings import RenamedSettings


class Settings(RenamedSettings, BaseSettings):
    """One setting that was renamed, and one that was not."""

    model_config = SettingsConfigDict(env_prefix="SHOP_", frozen=True)
    renamed: ClassVar[Mapping[str, str]] = {"opening_days": "SHOP_DAYS"}

    opening_days: list[str] = ["Monday"]
    name: str = "corner"


def test_the_old_name_is_read_with_a_warning_that_names_the_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is read as the new one is, JSON and all."""
    monkeypatch.setenv("SHOP_DAYS", '["Friday"]')
    with pytest.warns(FutureWarning, match="found the setting SHOP_DAYS.*SHOP_OPENING_DAYS"):
        assert Settings().opening_days == ["Friday"]


def test_the_new_name_goes_before_the_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both may be set while a deployment changes over."""
    monkeypatch.setenv("SHOP_DAYS", '["Friday"]')
    monkeypatch.setenv("SHOP_OPENING_DAYS", '["Sunday"]')
    with pytest.warns(FutureWarning):
        assert Settings().opening_days == ["Sunday"]


def test_what_was_not_renamed_is_read_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an old name in the environment nothing is said."""
    monkeypatch.setenv("SHOP_NAME", "station")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Settings() == Settings(opening_days=["Monday"], name="station")


@pytest.mark.process
@pytest.mark.process
def test_the_warning_is_printed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that reads its settings twice says it once, on stderr, without being asked to."""
    monkeypatch.setenv("TRAINING_SEALED", '["kept"]')
    read = "from training.config import TrainingSettings as S; print(S().holdout, S().holdout)"
    found = subprocess.run(
        [sys.executable, "-c", read], capture_output=True, text=True, check=True, timeout=120
    )
    assert found.stdout == "['kept'] ['kept']\n"
    assert found.stderr.count("TRAINING_HOLDOUT") == 1
