"""Promotion into a cluster: new models serve on every pod and score as expected, or the old ones.

ConfigMaps first, then one patch of the model server's Deployment, which is followed until each
new pod has scored the golden rows. On any failure, also Ctrl-C, the earlier template is put back.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path

from promotion.cluster.change import DeploymentChange, Roller
from promotion.cluster.client import ClusterClient
from promotion.cluster.dependents import Dependents, dependents_of
from promotion.cluster.errors import ClusterError, Interrupted
from promotion.cluster.model_map import (
    Json,
    ModelMap,
    Provenance,
    Release,
    config_map,
    files_of,
    model_map,
    release_of,
)
from promotion.cluster.model_store import ClusterModelStore, StoredModel
from promotion.cluster.pruning import KEEP
from promotion.cluster.record import (
    PROMOTION,
    PromotionRecord,
    models_before,
    name_of,
    standing_of,
    under_way,
)
from promotion.cluster.rollout_status import RolloutStatus
from promotion.cluster.template import served, with_models
from promotion.cluster.undo import Undo
from promotion.deployment import DeployError
from promotion.log import Action
from promotion.model_pair import Folders, checked_pair, loaded
from promotion.promoter import Clock, utc_now
from serving.artifact import Artifact
from serving.control import VARIANTS
from serving.tensor import EXAMPLE_ROW


@dataclass(frozen=True, slots=True)
class ServingNow:
    """What serves when a promotion begins; ``models`` are those of it that could be verified."""

    server: Json
    release: Release
    now: Mapping[str, str]
    models: Mapping[str, StoredModel]
    store: ClusterModelStore

    @property
    def artifacts(self) -> list[Artifact]:
        """The models that serve now."""
        return [kept.artifact for kept in self.models.values()]


@dataclass(frozen=True, slots=True)
class PromotionPlan:
    """Which models are to serve; ``before`` are those that going back from them leads to."""

    action: Action
    because: str | None
    maps: Mapping[str, ModelMap]
    artifacts: Mapping[str, Artifact]
    before: Mapping[str, str] | None

    @property
    def versions(self) -> dict[str, str]:
        """The version of each variant."""
        return {variant: self.maps[variant].version for variant in VARIANTS}


@dataclass(frozen=True, slots=True)
class ClusterPromoter:
    """Promotes into one release; ``keep`` is how many models of each variant stay at least."""

    cluster: ClusterClient
    roller: Roller
    who: str
    keep: int = KEEP
    clock: Clock = utc_now

    def promote(self, folders: Folders, because: str | None = None) -> None:
        """Have these model folders served; a variant that is not among them stays.

        Raises:
            PromotionError: nothing has changed, or what served before serves again.
        """
        with self._standing() as standing:
            kept = {variant: model.folder for variant, model in standing.models.items()}
            artifacts = self._checked(kept | dict(folders))
            bodies = {
                variant: config_map(
                    standing.release,
                    artifacts[variant],
                    files_of(folder),
                    self._provenance(because, standing.now.get(variant)),
                )
                for variant, folder in folders.items()
            }
            self._expect_no_end()
            standing.store.put(bodies.values())
            maps = {variant: model.map for variant, model in standing.models.items()}
            maps |= {variant: model_map(body) for variant, body in bodies.items()}
            self._serve(standing, PromotionPlan("promote", because, maps, artifacts, standing.now))

    def go_back(self, because: str | None = None) -> None:
        """Have the models served that served before; again walks one step further back.

        Raises:
            PromotionError: as ``promote``; or nothing served before, or it is not kept any more.
        """
        with self._standing() as standing:
            sets = self.cluster.replica_sets(standing.server)
            wanted, came = models_before(standing.server, sets, standing.release.fullname)
            found = {variant: standing.store.bring(variant, wanted[variant]) for variant in wanted}
            self.roller.say(f"before    {name_of(wanted)}: kept, with the digests expected")
            maps = {variant: kept.map for variant, kept in found.items()}
            artifacts = {variant: kept.artifact for variant, kept in found.items()}
            self._expect_no_end()
            before = came.before if came else None
            self._serve(standing, PromotionPlan("back", because, maps, artifacts, before))

    @contextmanager
    def _standing(self) -> Iterator[ServingNow]:
        """Look at what serves, and say it.

        Raises:
            ClusterError: it is on the way to something else.
        """
        server = self.cluster.model_server()
        release = release_of(server)
        now = served(server, release.fullname)
        self.roller.say(f"serves    {name_of(now)}: {standing_of(server, release.fullname)}")
        self._expect_settled(server)
        with tempfile.TemporaryDirectory() as scratch:
            store = ClusterModelStore(
                self.cluster, release.fullname, Path(scratch), self.roller.say
            )
            yield ServingNow(server, release, now, store.standing(now), store)

    def _expect_settled(self, server: Json) -> None:
        name = server["metadata"]["name"]
        if other := under_way(server, self.clock()):
            raise ClusterError(
                f"Deployment {name}: found a promotion under way, {other.cause()}, begun"
                f" {other.when} and over by {other.until} at the latest; expected none"
            )
        if not server["spec"].get("replicas", 1):
            raise ClusterError(f"Deployment {name}: found 0 replicas, expected one to verify by")
        seen = self.roller.look(server)
        if seen.state == "under way":
            raise ClusterError(f"Deployment {name}: found a rollout under way ({seen.text})")
        if seen.state == "failed":
            self.roller.say(f"warning   what {name} asks for does not run: {seen.text}")
        self._expect_answer(seen)

    def _expect_answer(self, seen: RolloutStatus) -> None:
        """Who cannot ask the pods that serve now could not verify new ones: nothing is changed."""
        for pod in (each for each in seen.pods if each.ready):
            with suppress(DeployError):  # it answered; that it scores is another question
                self.cluster.score(pod.name, VARIANTS[-1], [EXAMPLE_ROW])
            return

    def _expect_no_end(self) -> None:
        if self.roller.stop.wait(0):
            raise Interrupted("ended before anything was changed")

    def _checked(self, folders: Folders) -> dict[str, Artifact]:
        """Check folders as serving will, as a pair, before the cluster is touched."""
        if missing := sorted(set(VARIANTS) - set(folders)):
            raise ClusterError(
                f"found no whole model for {', '.join(missing)}, neither given nor in the cluster"
            )
        artifacts: dict[str, Artifact] = {v: loaded(folders[v]) for v in VARIANTS}
        digests = {variant: artifact.info.digest for variant, artifact in artifacts.items()}
        checked_pair(folders, digests)
        self.roller.say(f"checked   {name_of(digests)}: sums, golden rows, one τ table")
        return artifacts

    def _provenance(self, because: str | None, from_: str | None) -> Provenance:
        return Provenance(self.who, self._when(), because, from_)

    def _when(self) -> str:
        return self.clock().astimezone(UTC).isoformat(timespec="seconds")

    def _serve(self, standing: ServingNow, plan: PromotionPlan) -> None:
        dependents = Dependents(self.cluster, self.roller, standing.release.fullname)
        if plan.versions == standing.now:
            self._verify(standing, plan, dependents)
        else:
            self._change(standing, plan, dependents)
        self._tidy(standing, plan, dependents)

    def _verify(self, standing: ServingNow, plan: PromotionPlan, dependents: Dependents) -> None:
        """What serves already is verified; an undo by hand may have left the adapter behind."""
        self.roller.say(f"in place  {name_of(plan.versions)} is what serves")
        unchanged = DeploymentChange(standing.server, standing.server)
        pods = self.roller.follow(unchanged, list(plan.artifacts.values()))
        self.roller.say(f"verified  on {pods} pods")
        undo = Undo(self.roller, self._record(standing, plan))
        cause = f"follow {name_of(plan.versions)} by {self.who}, {self._when()}"
        with undo.on_failure():
            dependents.adapter(plan.maps, cause, undo)

    def _change(self, standing: ServingNow, plan: PromotionPlan, dependents: Dependents) -> None:
        record = self._record(standing, plan)
        undo = Undo(self.roller, record)
        fullname, before = standing.release.fullname, standing.server
        template = with_models(before["spec"]["template"], fullname, plan.maps)
        with undo.on_failure():
            change = self.roller.apply(before, record.annotations(), template)
            undo.add(change, standing.artifacts)
            self.roller.say(f"patched   Deployment {change.name}: {record.cause()}")
            pods = self.roller.follow(change, list(plan.artifacts.values()))
            self.roller.say(f"verified  {name_of(plan.versions)} on {pods} pods")
            dependents.adapter(plan.maps, f"{record.cause()}, {record.when}", undo)
            self.roller.apply(change.after, {PROMOTION: record.over().text()})

    def _record(self, standing: ServingNow, plan: PromotionPlan) -> PromotionRecord:
        """Say who changes what; it is over after a rollout, an undo and the adapter's rollout."""
        end = self.clock().astimezone(UTC) + timedelta(seconds=3 * self.roller.timeout + 60)
        return PromotionRecord(
            when=self._when(),
            who=self.who,
            action=plan.action,
            because=plan.because,
            from_=dict(standing.now),
            to=plan.versions,
            before=None if plan.before is None else dict(plan.before),
            until=end.isoformat(timespec="seconds"),
        )

    def _tidy(self, standing: ServingNow, plan: PromotionPlan, dependents: Dependents) -> None:
        """Hand drift the models that are kept, and delete the others; the promotion stands."""
        spare = standing.store.spare([standing.server, *dependents_of(self.cluster)], self.keep)
        maps = map(model_map, self.cluster.model_maps())
        dependents.drift([each for each in maps if each.name not in spare])
        standing.store.remove(spare)
