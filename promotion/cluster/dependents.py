"""The Deployments that mount models beside the model server: adapter and drift."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from promotion.cluster.change import Roller
from promotion.cluster.client import ClusterClient
from promotion.cluster.model_map import Json, ModelMap
from promotion.cluster.record import CHANGE_CAUSE
from promotion.cluster.template import with_kept, with_models
from promotion.cluster.undo import Undo
from promotion.errors import PromotionError

ADAPTER: Final = "adapter"
DRIFT: Final = "drift"


def dependents_of(cluster: ClusterClient) -> list[Json]:
    """Return those Deployments that there are."""
    found = map(cluster.deployment_of, (ADAPTER, DRIFT))
    return [each for each in found if each is not None]


@dataclass(frozen=True, slots=True)
class Dependents:
    """Those of one release; one that is switched off is passed over."""

    cluster: ClusterClient
    roller: Roller
    fullname: str

    def adapter(self, models: Mapping[str, ModelMap], cause: str, undo: Undo) -> None:
        """Hand the adapter the baseline that it answers with when the model server is away.

        Raises:
            PromotionError: it does not run with it; ``undo`` knows of the change.
        """
        before = self.cluster.deployment_of(ADAPTER)
        if before is None:
            return
        template = with_models(before["spec"]["template"], self.fullname, models)
        if template == before["spec"]["template"]:
            return
        change = self.roller.apply(before, {CHANGE_CAUSE: cause}, template)
        undo.add(change)
        pods = self.roller.follow(change)
        self.roller.say(f"adapter   {change.name} has the baseline that serves on {pods} pods")

    def drift(self, models: Sequence[ModelMap]) -> None:
        """Hand drift all these models, without waiting for its pod.

        It serves nobody, and the models are optional there: what fails is a warning, and no
        reason to undo a promotion.
        """
        try:
            before = self.cluster.deployment_of(DRIFT)
            if before is None:
                return
            template = with_kept(before["spec"]["template"], self.fullname, models)
            if template != before["spec"]["template"]:
                change = self.roller.apply(before, {}, template)
                self.roller.say(f"drift     {change.name} starts anew with {len(models)} models")
        except PromotionError as exc:
            self.roller.say(f"warning   drift keeps the models it has: {exc}")
