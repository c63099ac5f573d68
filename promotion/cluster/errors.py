"""What can go wrong between us and a cluster: one small hierarchy."""

from promotion.errors import PromotionError


class ClusterError(PromotionError):
    """The cluster holds or answers something else; the message says what and what was expected."""


class ClusterAway(ClusterError):
    """No usable answer just now; another try may have one."""


class Conflict(ClusterError):
    """Something was changed, or made, by someone else meanwhile."""


class RolloutError(ClusterError):
    """What was asked for does not run, or scores otherwise than expected."""


class Overtaken(ClusterError):
    """Someone else's change stands now, and is left as it is."""


class Interrupted(ClusterError):
    """The end was wished for on the way."""
