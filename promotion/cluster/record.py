"""What a Deployment says of its last promotion, in an annotation that its ReplicaSets keep.

The controller copies a Deployment's annotations to its newest ReplicaSet, and `kubectl rollout
undo` takes those of the ReplicaSet it goes back to. So each revision carries its own record, and
going back by hand leaves a true one in place.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from promotion.cluster.errors import ClusterError
from promotion.cluster.model_map import Json
from promotion.cluster.template import versions
from promotion.log import Action
from serving.control import VARIANTS

PROMOTION: Final = "crypto-volatility/promotion"
CHANGE_CAUSE: Final = "kubernetes.io/change-cause"
MANAGER: Final = "crypto-volatility-promotion"
"""Owner of what we change: `kubectl apply --server-side` names it where it would change it back."""
REVISION: Final = "deployment.kubernetes.io/revision"


class PromotionRecord(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Who put which versions in place of which, when and why.

    ``when`` is RFC 3339 in UTC; ``before`` are the versions that going back from ``to`` leads to.
    ``until`` is when the promotion is over at the latest, None once it is.
    """

    when: str
    who: str
    action: Action
    because: str | None
    from_: dict[str, str]
    to: dict[str, str]
    before: dict[str, str] | None
    until: str | None

    def text(self) -> str:
        """Return the annotation's value."""
        return msgspec.json.encode(self).decode()

    def annotations(self) -> dict[str, str]:
        """Return the annotations of the Deployment."""
        return {PROMOTION: self.text(), CHANGE_CAUSE: self.cause()}

    def cause(self) -> str:
        """Return the line that `kubectl rollout history` shows."""
        moves = [
            f"{variant} {self.from_[variant]} → {self.to[variant]}"
            for variant in VARIANTS
            if self.from_[variant] != self.to[variant]
        ]
        reason = f": {self.because}" if self.because else ""
        return f"{self.action} {', '.join(moves)} by {self.who}{reason}"

    def over(self) -> "PromotionRecord":
        """Return the record of the same promotion once nothing is under way any more."""
        return msgspec.structs.replace(self, until=None)


def record_of(annotated: Json) -> PromotionRecord | None:
    """Return the record that a Deployment or ReplicaSet carries, None without a readable one."""
    text = (annotated["metadata"].get("annotations") or {}).get(PROMOTION)
    try:
        return msgspec.json.decode(text, type=PromotionRecord) if text else None
    except msgspec.DecodeError:
        return None


def revision_of(annotated: Json) -> int:
    """Return the revision of a Deployment or ReplicaSet, 0 before it has one."""
    return int((annotated["metadata"].get("annotations") or {}).get(REVISION, 0))


def standing_of(deployment: Json, fullname: str) -> str:
    """Say by which revision, and by whom, the models came that the Deployment asks for."""
    record = record_of(deployment)
    revision = f"revision {revision_of(deployment)}"
    if record is None or record.to != versions(deployment["spec"]["template"], fullname):
        return f"{revision}, by no promotion"
    return f"{revision}, {record.cause()}, {record.when}"


def under_way(deployment: Json, now: datetime) -> PromotionRecord | None:
    """Return the record of a promotion that is not over yet."""
    record = record_of(deployment)
    if record is None or record.until is None:
        return None
    return record if now < datetime.fromisoformat(record.until) else None


def models_before(
    deployment: Json, replica_sets: Iterable[Json], fullname: str
) -> tuple[dict[str, str], PromotionRecord | None]:
    """Return the versions that served before, and the record by which they came.

    The Deployment's record says, where it is of the models that serve now; else the newest
    revision with other models. So going back twice walks back twice.

    Raises:
        ClusterError: no models served before.
    """
    now = versions(deployment["spec"]["template"], fullname)
    revisions = sorted(replica_sets, key=revision_of, reverse=True)
    record = record_of(deployment)
    if record is not None and record.to == now:
        wanted = record.before
    else:
        found = (versions(each["spec"]["template"], fullname) for each in revisions)
        wanted = next((each for each in found if each and each != now), None)
    if wanted is None:
        raise ClusterError(
            f"found no models before {name_of(now)} in {len(revisions)} revisions, expected some"
        )
    return wanted, _came_by(wanted, revisions)


def name_of(models: Mapping[str, str]) -> str:
    """Say versions by variant.

    >>> name_of({"ml": "15bbedf9c83c", "baseline": "61b770d01758"})
    'ml 15bbedf9c83c, baseline 61b770d01758'
    """
    return ", ".join(f"{v} {models[v][:12]}" for v in VARIANTS if v in models) or "no model"


def _came_by(models: Mapping[str, str], revisions: Iterable[Json]) -> PromotionRecord | None:
    records = (record for each in revisions if (record := record_of(each)))
    return next((record for record in records if record.to == models), None)
