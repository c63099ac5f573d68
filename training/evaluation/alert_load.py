"""What alarms ask of who receives them: how many an hour, and how early they come."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from featurizer.labels import HORIZON
from featurizer.slots import MICROSECONDS
from training.data.rows import Table
from training.data.thresholds import Flags
from training.evaluation.measures import RULE

HOUR: Final = 3600
ALERT_MEANING: Final = (
    "an alert is a run of alarms with less than 60 s between them; the lead time is from its"
    " start to the first second in which the last 60 s reached τ, which is when the rv60 rule"
    " would say so; negative: later than the rule"
)

Seconds = npt.NDArray[np.int64]


def alert_load(table: Table, alarm: Flags, tau: Mapping[str, float]) -> dict[str, Any]:
    """Count alerts an hour of usable rows, and how early they come, over all products."""
    alerts, leads, crossings = 0, [], 0
    for product in np.unique(table.product):
        own = table.product == product
        second = table.time_us[own] // MICROSECONDS
        high = table.column(RULE)[own] >= tau[str(product)]
        starts, ends = _runs(second[alarm[own]])
        reached, _ = _runs(second[high])
        alerts, crossings = alerts + len(starts), crossings + len(reached)
        leads += [lead for at in reached if (lead := _lead(int(at), starts, ends)) is not None]
    return {
        "alerts": alerts,
        "alerts_per_hour": round(alerts * HOUR / len(table), 3) if len(table) else None,
        "times_tau_was_reached": crossings,
        "times_alerted": len(leads),
        "median_lead_seconds": float(np.median(leads)) if leads else None,
    }


def _runs(seconds: Seconds) -> tuple[Seconds, Seconds]:
    """Return first and last second of each run with at most ``HORIZON`` between its members."""
    if not len(seconds):
        return seconds, seconds
    cut = np.flatnonzero(np.diff(seconds) > HORIZON)
    return seconds[np.append(0, cut + 1)], seconds[np.append(cut, len(seconds) - 1)]


def _lead(at: int, starts: Seconds, ends: Seconds) -> int | None:
    """Return how long before ``at`` the alert began that reaches to it, or that soon follows it."""
    near = np.flatnonzero((starts <= at + HORIZON) & (ends >= at - HORIZON))
    return at - int(starts[near[0]]) if len(near) else None
