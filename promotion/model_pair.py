"""The two model folders of one promotion: what they must be, and how they are copied."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from promotion.errors import PromotionError
from serving.artifact import (
    FILES,
    RUNTIME,
    SETTINGS,
    Artifact,
    ArtifactError,
    ModelInfo,
    load_folder,
)
from serving.card import Installed, installed_version
from serving.control import VARIANTS
from serving.predictor import open_predictor

_T = TypeVar("_T")

Folders = Mapping[str, Path]
Digests = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ModelPair:
    """Both verified models of a promotion, by variant."""

    infos: Mapping[str, ModelInfo]

    @property
    def digests(self) -> dict[str, str]:
        """The digest of each variant's folder."""
        return {variant: self.infos[variant].digest for variant in VARIANTS}

    @property
    def digest(self) -> str:
        """The digest of both together, which names the promotion."""
        return pair_digest(self.digests)


def pair_digest(digests: Digests) -> str:
    """Return one digest for the digests of both folders.

    >>> pair_digest({"ml": "aa", "baseline": "bb"})[:12]
    'a4d8f83ed31f'
    """
    lines = "".join(f"{digests[variant]}  {variant}\n" for variant in sorted(VARIANTS))
    return hashlib.sha256(lines.encode()).hexdigest()


def folders_in(root: Path) -> dict[str, Path]:
    """Return where both variants lie in a folder of them."""
    return {variant: root / variant for variant in VARIANTS}


def checked_pair(
    folders: Folders, expected: Digests, installed: Installed = installed_version
) -> ModelPair:
    """Check both folders as serving will: digests, features, libraries, golden scores, one τ.

    Nothing is unpickled before every file of its folder has the expected digest.

    Raises:
        PromotionError: says what was found and what was expected.
    """
    artifacts: dict[str, Artifact] = {v: _loaded_as(v, folders[v], expected[v]) for v in VARIANTS}
    _check_shared(artifacts)
    for artifact in artifacts.values():
        _asked(partial(open_predictor, artifact, installed))
    return ModelPair({variant: artifact.info for variant, artifact in artifacts.items()})


def digests_in(folders: Folders) -> dict[str, str] | None:
    """Return the digests that both folders have now, None if one of them is absent or damaged."""
    try:
        return {variant: load_folder(folders[variant]).info.digest for variant in VARIANTS}
    except ArtifactError:
        return None


def copy_folders(folders: Folders, root: Path) -> dict[str, Path]:
    """Copy the bytes of both model folders into ``root``, and give where each now is."""
    copies = folders_in(root)
    for variant, copy in copies.items():
        copy.mkdir(parents=True)
        for name in FILES:
            if (folders[variant] / name).exists():
                shutil.copyfile(folders[variant] / name, copy / name)
    return copies


def loaded(folder: Path, digest: str | None = None) -> Artifact:
    """Read and verify a model folder; raises ``PromotionError`` if it is damaged."""
    return _asked(partial(load_folder, folder, digest=digest))


def _loaded_as(variant: str, folder: Path, digest: str) -> Artifact:
    artifact = loaded(folder, digest)
    if artifact.info.variant != variant:
        raise PromotionError(
            f"{folder}: found variant {artifact.info.variant!r}, expected {variant!r}"
        )
    _check_settings(folder, variant, artifact.info.version)
    return artifact


def _check_settings(folder: Path, variant: str, version: str) -> None:
    """``model-settings.json`` is in no sum, yet names the class that the server imports."""
    path = folder / SETTINGS
    if not path.exists():
        raise PromotionError(f"{folder}: found no {SETTINGS}, expected one")
    found = json.loads(path.read_bytes())
    parameters = found["parameters"]
    expected = {"name": variant, "implementation": RUNTIME, "uri": ".", "version": version}
    for name, value in expected.items():
        seen = parameters.get(name) if name in ("uri", "version") else found.get(name)
        if seen != value:
            raise PromotionError(f"{path}: found {name} {seen!r}, expected {value!r}")


def _check_shared(artifacts: Mapping[str, Artifact]) -> None:
    """One promotion has one τ table and one dialect, or variants would mean different spikes."""
    ml, baseline = (artifacts[variant].info for variant in VARIANTS)
    if dict(ml.tau) != dict(baseline.tau):
        raise PromotionError(
            f"found τ {dict(baseline.tau)} in baseline, expected that of ml, {dict(ml.tau)}"
        )
    if ml.default_tau != baseline.default_tau:
        raise PromotionError(
            f"found default_tau {baseline.default_tau} in baseline, expected that of ml,"
            f" {ml.default_tau}: both in units of τ, or neither"
        )
    if ml.dialect != baseline.dialect:
        raise PromotionError(
            f"found dialect {baseline.dialect!r} in baseline, expected that of ml, {ml.dialect!r}"
        )


def _asked(check: Callable[[], _T]) -> _T:
    try:
        return check()
    except ArtifactError as exc:
        raise PromotionError(str(exc)) from exc
