"""Variables that look like settings and are none: refused, with the nearest known name.

A misspelt setting would else be silently unused.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, Final

from pydantic import AliasChoices
from pydantic_settings import BaseSettings

_SERVICE_LINK: Final = re.compile(r"_?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT_\d+_(TCP|UDP)(_.*)?)")
"""What Kubernetes puts into every pod, of each Service in its namespace."""
LETTERS: Final = 2

Suspect = Callable[[str, Iterable[str]], bool]
"""Says of a name that is not known, beside those that are, whether it was meant to be one."""


class UnknownSetting(SystemExit):
    """The environment has a variable that is no setting; the process ends with its words."""


def every(name: str, known: Iterable[str]) -> bool:
    """Suspect all: the prefix is ours alone."""
    return True


class KnownSettings(BaseSettings):
    """Settings of a prefix whose unknown names are refused; ``suspect`` says which of them."""

    suspect: ClassVar[Suspect] = staticmethod(every)

    def __init__(self, **given: Any) -> None:
        check(type(self), os.environ)
        super().__init__(**given)


def names_of(settings: type[BaseSettings]) -> list[str]:
    """Return the variables that a class of settings reads, in upper case."""
    prefix, found = str(settings.model_config.get("env_prefix", "")), list[str]()
    for name, field in settings.model_fields.items():
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [prefix + name]
        found += [str(each).upper() for each in choices]
    renamed: Mapping[str, str] = getattr(settings, "renamed", {})
    return [*found, *renamed.values()]


def check(settings: type[KnownSettings], environment: Iterable[str]) -> None:
    """Refuse what begins with the prefix and is none of its settings.

    Raises:
        UnknownSetting: names what was found, and the nearest that is known.
    """
    prefix, known = str(settings.model_config["env_prefix"]), names_of(settings)
    for name in sorted(map(str.upper, environment)):
        if not name.startswith(prefix) or name in known or _is_link(name, prefix):
            continue
        if settings.suspect(name, known):
            nearest = get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise UnknownSetting(
                f"error: found {name} in the environment, which is no setting; did you mean"
                f" {nearest}? All are in docs/settings.md"
            )


def _is_link(name: str, prefix: str) -> bool:
    return _SERVICE_LINK.search(name.removeprefix(prefix.rstrip("_"))) is not None


def apart(one: str, other: str) -> int:
    """Return how many letters must be added, left out or changed to make one of the other.

    >>> apart("KAFKA_TOPIC_PREFX", "KAFKA_TOPIC_PREFIX"), apart("abc", "abd"), apart("a", "bc")
    (1, 1, 2)
    """
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, start=1):
        before, row[0] = row[0], at
        for column, wanted in enumerate(other, start=1):
            changed = before + (letter != wanted)
            before = row[column]
            row[column] = min(changed, row[column] + 1, row[column - 1] + 1)
    return row[-1]


def near(name: str, known: Iterable[str]) -> bool:
    """Suspect what lies a letter or two from a setting: the prefix is shared with others."""
    return any(apart(name, each) <= LETTERS for each in known)
