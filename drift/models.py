"""The models that stand in the folder of models, with what each learned from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ingestor.instant import instant
from promotion.errors import PromotionError
from promotion.log import read_log
from serving.artifact import CARD, ArtifactError, ModelInfo, Reference, load_folder


@dataclass(frozen=True, slots=True)
class PromotedModel:
    """A verified model; ``trained_us`` is the end of its newest training data, None if unsaid.

    ``windows`` says how many windows in units of τ it looks at: 0 for one that sees features.
    """

    info: ModelInfo
    reference: Reference | None
    trained_us: int | None
    windows: int = 0


@dataclass(frozen=True, slots=True)
class PromotedModels:
    """All models found, by digest; ``refused`` says why a folder was not taken.

    ``promoted_us`` is when the pair in place was promoted, None where there is no log of it.
    """

    by_digest: Mapping[str, PromotedModel] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    promoted_us: int | None = None

    @property
    def products(self) -> set[str]:
        """All products that a reference names."""
        references = (m.reference for m in self.by_digest.values() if m.reference is not None)
        return {product for reference in references for product in reference.products}


class _Data(msgspec.Struct):
    last: str


class _Card(msgspec.Struct):
    """What the card says of the captures: RFC 3339 times of their last events."""

    data: list[_Data] = []


def read_models(root: Path) -> PromotedModels:
    """Read every model folder in ``root``; a damaged one is refused, not fatal."""
    found: dict[str, PromotedModel] = {}
    refused: dict[str, str] = {}
    for card in sorted(root.glob(f"*/{CARD}")):
        try:
            model = _model(card.parent)
        except (ArtifactError, OSError) as exc:
            refused[card.parent.name] = str(exc)
        else:
            found[model.info.digest] = model
    try:
        promoted = _promoted_us(root)
    except (PromotionError, OSError, ValueError) as exc:
        promoted, refused["promotions"] = None, str(exc)
    return PromotedModels(found, refused, promoted)


def _model(folder: Path) -> PromotedModel:
    artifact = load_folder(folder)
    relative = artifact.relative
    windows = len(relative.score) if relative is not None else 0
    return PromotedModel(artifact.info, artifact.reference(), _trained_us(folder), windows)


def _trained_us(folder: Path) -> int | None:
    try:
        card = msgspec.json.decode((folder / CARD).read_bytes(), type=_Card)
        return max((instant(data.last)[0] for data in card.data), default=None)
    except (msgspec.DecodeError, ValueError):
        return None


def _promoted_us(root: Path) -> int | None:
    log = read_log(root)
    return instant(log[-1].when)[0] if log else None
