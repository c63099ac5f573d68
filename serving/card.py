"""The model card: what training says of a model and serving relies on."""

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from math import isfinite
from typing import Final, Literal, get_args

import msgspec
from msgspec.structs import replace

from featurizer.features import FEATURES_DIGEST, names_of, widened
from ingestor.tick import Dialect
from serving.errors import ArtifactError

PICKLED_BY: Final = ("scikit-learn", "numpy", "joblib")
"""A pickle of one version of these breaks in another, often only when it predicts."""

Alarm = Literal["elevated", "spike"]
BUDGETS: Final = ("2", "4", "8", "16")
"""Starts a day that thresholds are made for."""

Installed = Callable[[str], str]


class Golden(msgspec.Struct, frozen=True):
    """Rows in the order of ``NAMES`` and the scores training saw for them.

    In the file a row has as many values as there were features when the model was trained.
    For a model in units of τ each row has its ``tau`` (null: the card's default), and ``severe``.
    """

    rows: list[list[float | None]]
    scores: list[float]
    tau: list[float | None] = []
    severe: list[float] = []

    @property
    def inputs(self) -> list[list[float | None]]:
        """Return the rows as a model is asked: in units of τ, τ after the values."""
        if not self.tau:
            return self.rows
        return [[*row, tau] for row, tau in zip(self.rows, self.tau, strict=True)]


class Card(msgspec.Struct, frozen=True):
    """What serving needs of ``card.json``; the rest of the card is for people.

    ``tau`` (log return) and ``threshold`` (score) are per product, in cards of models that learned
    one τ for each. A model in units of τ has ``default_tau`` for rows without one, and
    ``thresholds`` of ``severe`` for a spike and of the smoothed ``score`` for elevated, by budget
    (starts a day), null where a budget is refused.
    """

    variant: str
    dialect: Dialect
    features_digest: str
    libraries: dict[str, str]
    golden: Golden
    tau: dict[str, float] = {}
    threshold: dict[str, float] = {}
    default_tau: float | None = None
    thresholds: dict[Alarm, dict[str, float | None]] = {}
    base_rates: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What every answer says about the model that gave it."""

    variant: str
    version: str
    digest: str
    features_digest: str
    dialect: Dialect
    tau: Mapping[str, float]
    threshold: Mapping[str, float]
    default_tau: float | None = None
    thresholds: Mapping[Alarm, Mapping[str, float | None]] = field(default_factory=dict)

    @property
    def relative(self) -> bool:
        """Whether the model is in units of τ: it takes τ with a row, and says ``severe``."""
        return self.default_tau is not None


def installed_version(package: str) -> str:
    """Return the version of an installed package or of ``python``, ``not installed`` if absent."""
    if package == "python":
        return platform.python_version()
    try:
        return package_version(package)
    except PackageNotFoundError:
        return "not installed"


def installed_libraries() -> dict[str, str]:
    """Return the versions a card names, as they are in this process."""
    return {name: installed_version(name) for name in (*PICKLED_BY, "python")}


def read_card(data: bytes) -> Card:
    """Read ``card.json``, what its golden rows could not know yet unknown.

    Raises:
        ArtifactError: it cannot go with our features.
    """
    try:
        card = msgspec.json.decode(data, type=Card)
    except msgspec.DecodeError as exc:
        raise ArtifactError(f"card.json is not a card: {exc}") from exc
    names = names_of(card.features_digest)
    if names is None:
        raise ArtifactError(
            f"found a model for features_digest {card.features_digest}, expected {FEATURES_DIGEST}"
        )
    rows, scores = card.golden.rows, card.golden.scores
    if not rows or len(rows) != len(scores) or any(len(row) != len(names) for row in rows):
        raise ArtifactError(
            f"found {len(rows)} golden rows and {len(scores)} scores in card.json,"
            f" expected at least one row of {len(names)} values and a score for each"
        )
    return replace(card, golden=replace(card.golden, rows=[widened(row) for row in rows]))


def check_relative(card: Card) -> None:
    """Check what a model in units of τ is asked for beside its scores.

    Raises:
        ArtifactError: no default τ, a threshold is missing or none, or golden values are.
    """
    tau, rows = card.default_tau, len(card.golden.rows)
    if tau is None or not (isfinite(tau) and tau > 0.0):
        raise ArtifactError(f"found default_tau {tau} in card.json, expected one above 0")
    found = {alarm: sorted(table, key=int) for alarm, table in card.thresholds.items()}
    if found != {alarm: list(BUDGETS) for alarm in get_args(Alarm)}:
        raise ArtifactError(f"found thresholds {found}, expected each for {list(BUDGETS)}")
    made = [x for table in card.thresholds.values() for x in table.values() if x is not None]
    wrong = [x for x in made if not 0.0 < x <= 1.0]
    if wrong:
        raise ArtifactError(f"found the threshold {wrong[0]}, expected all above 0, at most 1")
    if (len(card.golden.tau), len(card.golden.severe)) != (rows, rows):
        raise ArtifactError(f"found golden rows without tau or severe, expected both for {rows}")


def check_libraries(expected: Mapping[str, str], installed: Installed = installed_version) -> None:
    """Compare the card's libraries with those of this process, Python by its minor version.

    Raises:
        ArtifactError: names each that differs, with what was found and what was expected.
    """
    wrong = [
        f"found {name} {installed(name)}, expected {expected.get(name, 'one named in the card')}"
        for name in PICKLED_BY
        if installed(name) != expected.get(name)
    ]
    if _minor(installed("python")) != _minor(expected.get("python", "")):
        wrong.append(f"found python {installed('python')}, expected {expected.get('python')}")
    if wrong:
        raise ArtifactError(f"the Pipeline was pickled by other libraries: {'; '.join(wrong)}")


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]
