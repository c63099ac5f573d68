"""The models of every promotion, kept by digest, so that one can go back to them."""

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from promotion.errors import PromotionError
from promotion.model_pair import Digests, Folders, copy_folders, digests_in, folders_in
from promotion.model_pair import pair_digest as digest_of

Fetch = Callable[[Digests, Path], bool]
"""Brings both folders from elsewhere into an empty folder, if it has them."""


def keep(store: Path, folders: Folders, digests: Digests) -> Path:
    """Keep copies of both folders as ``store/<digest>``, and give that folder.

    Raises:
        PromotionError: the copies have other digests.
    """
    kept = store / digest_of(digests)
    if digests_in(folders_in(kept)) == dict(digests):
        return kept
    draft = store / f".{uuid.uuid4().hex}"
    try:
        found = digests_in(copy_folders(folders, draft))
        if found != dict(digests):
            raise PromotionError(f"{store}: found digests {found}, expected {dict(digests)}")
        shutil.rmtree(kept, ignore_errors=True)
        draft.rename(kept)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return kept


def recall(store: Path, digests: Digests, fetch: Fetch | None = None) -> Path:
    """Return the folder that holds these models: kept here, or fetched and kept now.

    Raises:
        PromotionError: they are nowhere, or what was fetched has other digests.
    """
    kept = store / digest_of(digests)
    if digests_in(folders_in(kept)) == dict(digests):
        return kept
    draft = store / f".{uuid.uuid4().hex}"
    draft.mkdir(parents=True)
    try:
        if fetch is None or not fetch(digests, draft):
            raise PromotionError(f"found no whole models in {kept}, nor among those tracked")
        return keep(store, folders_in(draft), digests)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
