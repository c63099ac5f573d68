"""How often a spike follows, by venue and day: the level's promise, kept or not.

A level above nine tenths of a day's volatilities promises that a tenth of the seconds or so lead
into a spike; on a single day it may be none or a quarter.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from featurizer.level.level import STATUSES
from ingestor.instant import text_of
from training.data.thresholds import Flags
from training.external.columns import Numbers
from training.venues.leveled import LeveledSeconds, days_of, volatility_ahead
from training.venues.trades import Venue

DAY_US: Final = 86_400_000_000
EXPECTED: Final = (0.07, 0.13)
"""What a venue's share may be over all its established seconds."""
BPS: Final = 1e4
_DIGITS: Final = 6


def share_table(venue: Venue, path: Path, seconds: LeveledSeconds, breaks: int) -> dict[str, Any]:
    """Return a venue's share of spikes over all established seconds with a label, and by day.

    A spike follows where the volatility of the next 60 s is τ of the second or more.
    """
    ahead = volatility_ahead(seconds)
    judged = seconds.has("established") & ~np.isnan(ahead)
    days = days_of(seconds)
    return {
        "venue": venue.name,
        "product": venue.product,
        "file": venue.file,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "source": venue.source,
        "licence": venue.licence,
        "breaks": breaks,
        "seconds": {
            status: int(seconds.has(status).sum())
            for status in STATUSES
            if seconds.has(status).any()
        },
        "days": [
            {
                "day": text_of(int(day) * DAY_US)[:10],
                **_share(seconds, ahead, judged & (days == day)),
            }
            for day in np.unique(days[judged])
        ],
        "all": _share(seconds, ahead, judged),
    }


def _share(seconds: LeveledSeconds, ahead: Numbers, at: Flags) -> dict[str, Any]:
    tau, n = seconds.tau[at], int(at.sum())
    spikes = int((ahead[at] >= tau).sum())
    return {
        "established": n,
        "spikes": spikes,
        "share": round(spikes / n, _DIGITS) if n else None,
        "tau_bps": [round(float(t) * BPS, 2) for t in (tau.min(), tau.max())] if n else None,
    }


def share_lines(found: Mapping[str, Any]) -> list[str]:
    """Return a venue's table as lines for a reader."""
    held = ", ".join(f"{n} {status}" for status, n in found["seconds"].items())
    low, high = EXPECTED
    return [
        f"{found['venue']} {found['product']} ({found['licence']}): seconds {held};"
        f" {found['breaks']} breaks",
        *(_line(day["day"], day) for day in found["days"]),
        f"{_line('all', found['all'])}, expected {low} to {high}",
    ]


def _line(name: str, of: Mapping[str, Any]) -> str:
    if not of["established"]:
        return f"  {name:<10}  no established second"
    low, high = of["tau_bps"]
    return (
        f"  {name:<10}  {of['share']:.3f} of {of['established']:>6} seconds lead into a spike,"
        f" τ {low:.1f} to {high:.1f} bps"
    )
