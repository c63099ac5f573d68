"""A model folder: what stands in it, how it is written, and what is checked before it is believed.

``model.json`` (readable, both kinds), ``card.json``, ``model.joblib`` (the Pipeline, where there
is one), ``reference.json`` (training rows to measure drift against, absent from older folders),
``SHA256SUMS`` over these, and MLServer's ``model-settings.json``, which names the digest.
The **digest** is the SHA-256 of ``SHA256SUMS``; the **version** is its first 12 digits.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from featurizer.features import FEATURES_DIGEST, NAMES
from serving.card import (
    Card,
    Installed,
    ModelInfo,
    check_libraries,
    check_relative,
    installed_libraries,
    installed_version,
    read_card,
)
from serving.errors import ArtifactError
from serving.linear import SCHEMA_VERSION, Linear, positions_of
from serving.reference import Reference, encode_reference, read_reference
from serving.relative import KIND as RELATIVE_KIND
from serving.relative import Relative
from serving.tensor import DATATYPE, INPUT, OUTPUT, SEVERE, width_for

__all__ = [
    "FILES",
    "Artifact",
    "ArtifactError",
    "Card",
    "ModelInfo",
    "Reference",
    "load_folder",
    "write_folder",
]

MODEL: Final = "model.json"
CARD: Final = "card.json"
PIPELINE: Final = "model.joblib"
REFERENCE: Final = "reference.json"
SUMS: Final = "SHA256SUMS"
SETTINGS: Final = "model-settings.json"
FILES: Final = (MODEL, CARD, PIPELINE, REFERENCE, SUMS, SETTINGS)
"""All that may stand in a model folder: what is copied where one is copied."""
PIPELINE_KIND: Final = "pipeline"
RUNTIME: Final = "serving.runtime.SpikeModel"
_VERSION_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Artifact:
    """A verified folder: every byte here had its expected digest.

    ``linear`` is None for a model that is no linear one, ``relative`` for one that is not in units
    of τ; ``pickled`` is the content of
    ``model.joblib``, None where the folder has none; ``features`` are the names the model uses;
    ``reference_json`` is the content of ``reference.json``, None in folders from before it.
    """

    info: ModelInfo
    card: Card
    features: tuple[str, ...]
    linear: Linear | None
    pickled: bytes | None
    reference_json: bytes | None = None
    relative: Relative | None = None

    def reference(self) -> Reference | None:
        """Return the training rows that drift is measured against, None where there are none.

        Raises:
            ArtifactError: they cannot go with our features.
        """
        return None if self.reference_json is None else read_reference(self.reference_json)

    def unpickle(self, installed: Installed = installed_version) -> Any:
        """Return the scikit-learn Pipeline, if the installed libraries are those of the card.

        ``installed`` gives the version of a package, as the card names it.

        Raises:
            ArtifactError: there is no ``model.joblib``, or a library's version differs.
        """
        if self.pickled is None:
            raise ArtifactError(f"found no {PIPELINE} for {self.info.variant}, expected one")
        check_libraries(self.card.libraries, installed)
        import joblib  # only here: the stream image has neither joblib nor scikit-learn

        return joblib.load(BytesIO(self.pickled))


def load_folder(path: Path, *, digest: str | None = None) -> Artifact:
    """Read and verify a model folder; nothing is unpickled and scikit-learn is not imported.

    The digest of ``SHA256SUMS`` is compared with ``digest`` and with the one named in
    ``model-settings.json``, then each file with its sum, then the features with ours.

    Raises:
        ArtifactError: says what was found and what was expected.
    """
    try:
        return _load(path, digest)
    except ArtifactError as exc:
        raise ArtifactError(f"model folder {path.name}: {exc}") from exc


def write_folder(
    path: Path,
    *,
    variant: str,
    linear: Linear | Relative | None,
    card: Mapping[str, Any],
    pipeline: Any = None,
    features: tuple[str, ...] = NAMES,
    reference: Reference | None = None,
) -> ModelInfo:
    """Write a model folder, equal bytes for equal models, and give what it is now.

    ``variant``, ``features_digest`` and ``libraries`` of the card are filled in when absent.
    ``linear`` is the model in plain numbers, of either kind.
    With ``linear`` None the Pipeline itself is served, fed with ``features`` in that order.
    ``reference`` (made by ``reference_of``) are training rows to measure drift against.

    Raises:
        ArtifactError: the result would not load again.
    """
    model = linear.document() if linear else _pipeline_document(variant, features)
    defaults: dict[str, Any] = {
        "variant": variant,
        "features_digest": FEATURES_DIGEST,
        "libraries": installed_libraries(),
    }
    relative = isinstance(linear, Relative)
    if isinstance(linear, Relative):
        defaults["base_rates"] = model["base_rates"]
    files = {MODEL: _json(model), CARD: _json(defaults | dict(card))}
    if pipeline is not None:
        files[PIPELINE] = _pickle(pipeline)
    if reference is not None:
        files[REFERENCE] = encode_reference(reference)
    sums = "".join(f"{_sha256(files[name])}  {name}\n" for name in sorted(files)).encode()
    digest = _sha256(sums)
    path.mkdir(parents=True, exist_ok=True)
    for name in (PIPELINE, REFERENCE):
        (path / name).unlink(missing_ok=True)
    for name, data in (
        files | {SUMS: sums, SETTINGS: _settings(variant, digest, relative)}
    ).items():
        (path / name).write_bytes(data)
    written = load_folder(path, digest=digest)
    written.reference()
    return written.info


def _load(path: Path, digest: str | None) -> Artifact:
    sums = _read(path, SUMS)
    found = _sha256(sums)
    for expected in (digest, _settings_digest(path)):
        if expected is not None and found != expected:
            raise ArtifactError(f"{SUMS} has digest {found}, expected {expected}")
    files = _verified_files(path, sums)
    card, model = read_card(files[CARD]), _object(MODEL, files[MODEL])
    if card.variant != model.get("variant"):
        raise ArtifactError(
            f"found variant {card.variant!r} in {CARD} and {model.get('variant')!r} in {MODEL},"
            " expected the same"
        )
    info, kept = _info(card, found), (files.get(PIPELINE), files.get(REFERENCE))
    if model.get("kind") == RELATIVE_KIND:
        check_relative(card)
        relative = Relative.of(model)
        if card.base_rates != model["base_rates"]:
            raise ArtifactError(
                f"found base_rates {card.base_rates} in {CARD}, expected those of {MODEL}"
            )
        return Artifact(info, card, relative.features, None, *kept, relative)
    if not {"tau", "threshold"} <= _object(CARD, files[CARD]).keys():
        raise ArtifactError(f"{CARD} is not a card: found no tau or no threshold")
    linear = None if model.get("kind") == PIPELINE_KIND else Linear.of(model)
    features = linear.features if linear else _pipeline_features(model)
    return Artifact(info, card, features, linear, *kept)


def _info(card: Card, digest: str) -> ModelInfo:
    return ModelInfo(
        variant=card.variant,
        version=digest[:_VERSION_DIGITS],
        digest=digest,
        features_digest=card.features_digest,
        dialect=card.dialect,
        tau=card.tau,
        threshold=card.threshold,
        default_tau=card.default_tau,
        thresholds=card.thresholds,
    )


def _read(path: Path, name: str) -> bytes:
    try:
        return (path / name).read_bytes()
    except OSError as exc:
        raise ArtifactError(f"cannot read {name}: {exc.strerror}") from exc


def _settings_digest(path: Path) -> str | None:
    if not (path / SETTINGS).exists():
        return None
    settings = _object(SETTINGS, _read(path, SETTINGS))
    try:
        return str(settings["parameters"]["extra"]["digest"])
    except (KeyError, TypeError) as exc:
        raise ArtifactError(f"found no parameters.extra.digest in {SETTINGS}") from exc


def _verified_files(path: Path, sums: bytes) -> dict[str, bytes]:
    """Read each file of ``SHA256SUMS`` once, so that what was checked is what is used."""
    lines = [line.partition("  ") for line in sums.decode(errors="replace").splitlines()]
    expected = {name: digest for digest, _, name in lines}
    names = set(expected)
    if not {MODEL, CARD} <= names <= {MODEL, CARD, PIPELINE, REFERENCE}:
        raise ArtifactError(
            f"{SUMS} lists {sorted(names)}, expected {MODEL}, {CARD} and perhaps {PIPELINE}"
            f" and {REFERENCE}"
        )
    files = {name: _read(path, name) for name in expected}
    for name, data in files.items():
        if _sha256(data) != expected[name]:
            raise ArtifactError(f"{name} has SHA-256 {_sha256(data)}, expected {expected[name]}")
    return files


def _object(name: str, data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError as exc:
        raise ArtifactError(f"{name} is not JSON: {exc}") from exc
    if not isinstance(found, dict):
        raise ArtifactError(f"{name} is {type(found).__name__}, expected an object")
    return found


def _pipeline_document(variant: str, features: tuple[str, ...]) -> dict[str, Any]:
    head = {"schema_version": SCHEMA_VERSION, "kind": PIPELINE_KIND, "variant": variant}
    return head | {"features": list(features)}


def _pipeline_features(model: Mapping[str, Any]) -> tuple[str, ...]:
    features = tuple(map(str, model.get("features", ())))
    positions_of(features)
    return features


def _pickle(pipeline: Any) -> bytes:
    import joblib

    buffer = BytesIO()
    joblib.dump(pipeline, buffer)
    return buffer.getvalue()


def _settings(variant: str, digest: str, relative: bool) -> bytes:
    """Return MLServer's settings of this model; ``uri`` is relative to the file itself."""
    width, outputs = width_for(len(NAMES), tau=relative), [OUTPUT, *[SEVERE] * relative]
    return _json(
        {
            "name": variant,
            "implementation": RUNTIME,
            "platform": "sklearn",
            "inputs": [{"name": INPUT, "datatype": DATATYPE, "shape": [-1, width]}],
            "outputs": [{"name": name, "datatype": DATATYPE, "shape": [-1]} for name in outputs],
            "parameters": {
                "uri": ".",
                "version": digest[:_VERSION_DIGITS],
                "extra": {"digest": digest},
            },
        }
    )


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
