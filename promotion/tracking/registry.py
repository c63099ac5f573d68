"""The registered model ``crypto-volatility``: a version for each pair of models, and two aliases.

``champion`` is what the last promotion put in place, ``challenger`` what was trained last and is
not in place. Aliases have no history in MLflow: ours is the promotion log.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from promotion.log import Promotion
from promotion.model_pair import Digests, copy_folders, pair_digest
from promotion.tracking.connection import TrackingStore, connected
from serving.control import VARIANTS

NAME: Final = "crypto-volatility"
CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
_ABOUT: Final = """\
Score in [0, 1] that the next 60 s of a product are a volatility spike.

A version is a **pair** of model folders trained together, with one τ table: `ml`, the winner of
its training (this model), and `baseline` (its id is in the tags).
Tags `digest`, `digest.ml`, `digest.baseline` are those of `model-settings/promotions.jsonl`.
`champion` is in place, `challenger` is the last trained that is not.
"""


def register(
    mlflow: Any, digests: Digests, models: Mapping[str, str], about: str, tags: Mapping[str, str]
) -> str:
    """Register logged models (MLflow's ids, by variant) as a version; gives its number.

    Equal bytes are registered once. The version becomes challenger unless it is champion.
    """
    client = mlflow.MlflowClient()
    ensure_model(client)
    version = find_version(client, digests)
    if version is None:
        own = {f"digest.{variant}": digests[variant] for variant in VARIANTS}
        ids = {f"model_id.{variant}": models[variant] for variant in VARIANTS}
        made = client.create_model_version(
            NAME,
            f"models:/{models['ml']}",
            run_id=client.get_logged_model(models["ml"]).source_run_id,
            tags={"digest": pair_digest(digests), **own, **ids, **tags},
            description=about,
            model_id=models["ml"],
        )
        version = str(made.version)
        link = json.dumps([{"name": NAME, "version": made.version}])
        client.set_logged_model_tags(models["ml"], {"mlflow.modelVersions": link})
    if _aliased(client, CHAMPION) != version:
        client.set_registered_model_alias(NAME, CHALLENGER, version)
    return version


def find_version(client: Any, digests: Digests) -> str | None:
    """Return the first version that holds these models."""
    found = client.search_model_versions(
        f"name = '{NAME}' and tags.digest = '{pair_digest(digests)}'"
    )
    return min((str(each.version) for each in found), key=int, default=None)


def set_champion(mlflow: Any, version: str, promotion: Promotion) -> None:
    """Move the alias to this version and write who put it in place, and when, into its tags."""
    client = mlflow.MlflowClient()
    client.set_registered_model_alias(NAME, CHAMPION, version)
    if _aliased(client, CHALLENGER) == version:
        client.delete_registered_model_alias(NAME, CHALLENGER)
    for tag, value in {"promoted.when": promotion.when, "promoted.who": promotion.who}.items():
        client.set_model_version_tag(NAME, version, tag, value)


def fetch(store: TrackingStore, digests: Digests, into: Path) -> bool:
    """Copy the folders of these models out of MLflow; says whether it has them.

    Raises:
        TrackingError: MLflow could not be reached.
    """
    with connected(store) as mlflow, tempfile.TemporaryDirectory() as place:
        client = mlflow.MlflowClient()
        version = find_version(client, digests)
        if version is None:
            return False
        tags = client.get_model_version(NAME, version).tags
        found: dict[str, Path] = {}
        for variant in VARIANTS:
            uri = f"models:/{tags[f'model_id.{variant}']}"
            model = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=place)
            found[variant] = next(Path(model).rglob("SHA256SUMS")).parent
            found[variant] = found[variant].rename(Path(place) / f"folder-{variant}")
        copy_folders(found, into)
    return True


def _aliased(client: Any, alias: str) -> str | None:
    found = client.get_registered_model(NAME).aliases.get(alias)
    return None if found is None else str(found)


def ensure_model(client: Any) -> None:
    """Make the registered model, with its description, unless it is there."""
    if not client.search_registered_models(f"name = '{NAME}'"):
        client.create_registered_model(NAME, description=_ABOUT)
