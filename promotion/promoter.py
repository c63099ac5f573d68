"""Promotion: the bytes of a run's models become ``model-settings/``, with a line in the log.

Here is the truth of what was put in place and when; MLflow's aliases follow it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from promotion.atomic_replace import exclusive, recover, replace
from promotion.errors import PromotionError
from promotion.log import Action, Promotion, before, last_seal, read_log
from promotion.model_pair import Digests, Folders, checked_pair, digests_in, folders_in
from promotion.model_store import Fetch, keep, recall
from promotion.run_folder import RunRecord, model_folder, read_run

Clock = Callable[[], datetime]
Say = Callable[[str], None]


def utc_now() -> datetime:
    """Return the present."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Promoter:
    """Puts models in place: ``root`` is ``model-settings``, ``store`` keeps what was promoted."""

    root: Path
    store: Path
    who: str
    say: Say
    clock: Clock = utc_now

    def promote(self, run: Path, because: str | None = None) -> Promotion | None:
        """Put the winner and the baseline of a run folder in place; None if they already are.

        Raises:
            PromotionError: the folder is no run, or its models don't check; nothing has changed.
        """
        record = read_run(run)
        folders = {v: model_folder(run, name) for v, name in record.variants().items()}
        digests = {v: record.digests[name] for v, name in record.variants().items()}
        return self._put("promote", folders, digests, record.run_id, evidence_of(record, because))

    def put(self, folders: Folders, because: str | None = None) -> Promotion | None:
        """Put these two model folders in place, of no run; None if they already are.

        Raises:
            PromotionError: the models don't check; nothing has changed.
        """
        digests = digests_in(folders)
        if digests is None:
            found = ", ".join(str(folder) for folder in folders.values())
            raise PromotionError(f"found an absent or damaged model folder among {found}")
        return self._put("promote", folders, digests, None, reason(because))

    def go_back(self, because: str | None = None, fetch: Fetch | None = None) -> Promotion | None:
        """Put in place what stood before; ``fetch`` brings models that are not kept here.

        Raises:
            PromotionError: nothing stood before, or its models are lost or don't check.
        """
        with exclusive(self.root):
            self._recover()
            log = read_log(self.root)
            digests = before(log, digests_in(folders_in(self.root)))
        folders = folders_in(recall(self.store, digests, fetch))
        run = next((p.run for p in reversed(log) if p.to == digests), None)
        return self._put("back", folders, digests, run, reason(because))

    def _put(
        self,
        action: Action,
        folders: Folders,
        digests: Digests,
        run: str | None,
        evidence: Mapping[str, Any],
    ) -> Promotion | None:
        with exclusive(self.root):
            self._recover()
            read_log(self.root)
            pair = checked_pair(folders, digests)
            now = digests_in(folders_in(self.root))
            if now == pair.digests:
                self.say(f"in place  {pair.digest[:12]} already is what {self.root} holds")
                return None
            if now is not None:
                keep(self.store, folders_in(self.root), now)
            kept = keep(self.store, folders, pair.digests)
            promotion = Promotion(
                when=self.clock().astimezone(UTC).isoformat(timespec="seconds"),
                who=self.who,
                action=action,
                run=run,
                from_=now,
                to=pair.digests,
                digest=pair.digest,
                evidence=dict(evidence),
                previous=last_seal(self.root),
            )
            replace(self.root, folders_in(kept), pair.digests, promotion.line())
        return promotion

    def _recover(self) -> None:
        if done := recover(self.root):
            self.say(f"recovered {self.root}: {done}")


def evidence_of(record: RunRecord, because: str | None) -> dict[str, Any]:
    """Return what a promotion rests on: the run's evidence, winner, data, and a person's reason."""
    found = {"winner": record.winner, "dataset_digest": record.dataset_digest, **record.evidence}
    return found | reason(because)


def reason(because: str | None) -> dict[str, Any]:
    """Return a person's reason as the log has it."""
    return {"because": because} if because else {}


def find_run(runs: Path, name: str) -> Path:
    """Return the run folder of that id under ``runs``; ``latest`` is the one created last.

    Raises:
        PromotionError: there is none.
    """
    if name != "latest":
        if not (runs / name).is_dir():
            raise PromotionError(f"found no run folder {runs / name}, expected one")
        return runs / name
    created = {read_run(path.parent).created: path.parent for path in runs.glob("*/run.json")}
    if not created:
        raise PromotionError(f"found no run folder in {runs}, expected one: train first")
    return created[max(created)]
