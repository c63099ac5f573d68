"""What was changed is put back, last first, and followed until it serves again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from promotion.cluster.change import DeploymentChange, Roller
from promotion.cluster.errors import Overtaken
from promotion.cluster.record import CHANGE_CAUSE, PROMOTION, PromotionRecord, name_of
from promotion.errors import PromotionError
from serving.artifact import Artifact

_WORDS: Final = 200


@dataclass(frozen=True, slots=True)
class Undo:
    """The changes of one promotion, each with the models that its earlier pods must serve."""

    roller: Roller
    record: PromotionRecord
    changes: list[tuple[DeploymentChange, Sequence[Artifact]]] = field(default_factory=list)

    def add(self, change: DeploymentChange, expected: Sequence[Artifact] = ()) -> None:
        """Remember a change that was made."""
        self.changes.append((change, expected))

    @contextmanager
    def on_failure(self) -> Iterator[None]:
        """Put everything back if the block fails, and let the failure through."""
        try:
            yield
        except Exception as exc:
            self.run(exc)
            raise

    def run(self, reason: Exception) -> None:
        """Put everything back; what cannot be is said, with the command that does it by hand."""
        words = " ".join(str(reason).split())[:_WORDS]
        if self.changes:
            self.roller.say(f"undoing   {words}")
        for change, expected in reversed(self.changes):
            back = self._put_back(change, words)
            if back is not None:
                self._follow(back, expected)

    def _put_back(self, change: DeploymentChange, words: str) -> DeploymentChange | None:
        earlier = change.before["metadata"].get("annotations") or {}
        annotations = {CHANGE_CAUSE: f"undo {name_of(self.record.to)}: {words}"}
        if PROMOTION in change.after["metadata"]["annotations"]:
            # Empty, not absent: ReplicaSets keep what a Deployment no longer has.
            annotations[PROMOTION] = earlier.get(PROMOTION, "")
        try:
            template = change.before["spec"]["template"]
            return self.roller.apply(change.after, annotations, template)
        except Overtaken as exc:
            self.roller.say(f"left      {exc}")
        except PromotionError as exc:
            self.roller.say(
                f"error     {change.name} is not back: {exc}; by hand: kubectl -n"
                f" {self.roller.cluster.namespace} rollout undo deployment/{change.name}"
            )
        return None

    def _follow(self, back: DeploymentChange, expected: Sequence[Artifact]) -> None:
        models = name_of(self.record.from_)
        try:
            pods = self.roller.follow_back(back, expected)
            self.roller.say(f"undone    {back.name}: {models} serves again on {pods} pods")
        except PromotionError as exc:
            self.roller.say(
                f"error     {back.name} has its template with {models} again, but {exc}"
            )
