"""What the records of topic ``signals`` tell of: changes, ends, verdicts, and every minute."""

from typing import Literal

import msgspec

from signals.state import Level, Mode, Run

Outcome = Literal["true", "false", "already_there", "cut"]


class Change(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="change"):
    """Mode or detail are others from the second on that begins at ``time_us`` (epoch µs).

    ``elevated`` and ``spike`` are the ids of the runs that last, or are held while blind;
    ``started`` are those that begin here, a start of their level.
    """

    time_us: int
    before: Mode
    before_detail: str
    mode: Mode
    detail: str
    elevated: str | None
    spike: str | None
    started: tuple[Run, ...]


class End(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="end"):
    """A run is over, as is known at ``time_us``; one that a blind stretch ended, when that was."""

    time_us: int
    run: Run


class Verdict(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="verdict"):
    """What became of a run, 120 s after its end.

    ``true``: a second reached the level's multiple of τ from the start to 120 s after the end;
    ``already_there``: the first one had; ``cut``: none of those seen, and some were blind.
    """

    time_us: int
    run: Run
    outcome: Outcome


class Onset(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="onset"):
    """What a level is there to foresee came at ``onset_us``, and what met it is known now.

    ``lead_seconds`` is onset less start of the run that stood then, below 0 of one that started
    within 60 s after it; null where there was none. ``already_there``: that run began at kτ.
    """

    time_us: int
    level: Level
    onset_us: int
    lead_seconds: int | None
    signal_id: str | None
    already_there: bool


class Minute(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="minute"):
    """The first row of an epoch minute has come; nothing else need be new."""

    time_us: int


Event = Change | End | Verdict | Onset | Minute
