"""The promotion log: one line a promotion, only ever appended to, each line sealed by the next."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from promotion.errors import PromotionError

LOG: Final = "promotions.jsonl"
SCHEMA_VERSION: Final = 1

Action = Literal["promote", "back"]


class Promotion(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Who put which models in place of which, when and why.

    ``when`` is RFC 3339 in UTC; ``from_`` and ``to`` are folder digests by variant, ``digest``
    that of ``to`` as a whole; ``previous`` is the SHA-256 of the line before, so that a line
    changed or taken out later shows.
    """

    when: str
    who: str
    action: Action
    run: str | None
    from_: dict[str, str] | None
    to: dict[str, str]
    digest: str
    evidence: dict[str, Any]
    previous: str | None
    schema_version: int = SCHEMA_VERSION

    def line(self) -> bytes:
        """Return the line of the log."""
        return msgspec.json.encode(self) + b"\n"


def sealed(line: bytes) -> str:
    """Return the SHA-256 by which the next line names this one."""
    return hashlib.sha256(line).hexdigest()


def read_log(root: Path) -> list[Promotion]:
    """Read all promotions, oldest first.

    Raises:
        PromotionError: a line is no promotion, or does not follow the line before it.
    """
    found: list[Promotion] = []
    before: str | None = None
    for number, line in enumerate(_lines(root), start=1):
        try:
            promotion = msgspec.json.decode(line, type=Promotion)
        except msgspec.DecodeError as exc:
            raise PromotionError(f"{LOG}, line {number}: is no promotion: {exc}") from exc
        if promotion.previous != before:
            raise PromotionError(
                f"{LOG}, line {number}: found previous {promotion.previous}, expected {before}:"
                " an earlier line was changed or taken out"
            )
        found.append(promotion)
        before = sealed(line)
    return found


def last_seal(root: Path) -> str | None:
    """Return what the next promotion says as its ``previous``."""
    lines = _lines(root)
    return sealed(lines[-1]) if lines else None


def append(root: Path, line: bytes) -> None:
    """Append a line unless it is the last one already; all of it reaches the disk, or nothing."""
    if _lines(root)[-1:] == [line]:
        return
    path = root / LOG
    size = path.stat().st_size if path.exists() else 0
    try:
        with path.open("ab") as log:
            log.write(line)
            log.flush()
            os.fsync(log.fileno())
    except OSError:
        if path.exists():
            os.truncate(path, size)
        raise


def standing(log: Sequence[Promotion]) -> list[dict[str, str]]:
    """Return the digests one may go back through, the models in place last.

    Going back takes one from the end, so that going back twice does not return.
    """
    stack: list[dict[str, str]] = []
    for promotion in log:
        if promotion.from_ is not None and stack[-1:] != [promotion.from_]:
            stack.append(promotion.from_)
        if promotion.action == "back" and promotion.to in stack[:-1]:
            while stack[-1] != promotion.to:
                stack.pop()
        else:
            stack.append(promotion.to)
    return stack


def before(log: Sequence[Promotion], now: dict[str, str] | None) -> dict[str, str]:
    """Return the digests of the models that stood before those of ``now``.

    Raises:
        PromotionError: there was nothing before.
    """
    stack = standing(log)
    if now is not None and stack[-1:] != [now]:
        stack.append(now)
    if len(stack) < 2:
        raise PromotionError(
            f"found {len(log)} promotions and no models before those in place, expected some"
        )
    return stack[-2]


def _lines(root: Path) -> list[bytes]:
    path = root / LOG
    return path.read_bytes().splitlines(keepends=True) if path.exists() else []
