"""Glance: what the page shows of one product now; a frame has one of each."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from ingestor.tick import GENERATED_FEED, LIVE_FEED
from monitor.forecast_record import Said
from monitor.states.display import behind, displayed
from monitor.states.machines import Standing
from scorer.prediction import Note, Prediction
from signals.row import Thresholds
from signals.state import Mode, State

FeedKind = Literal["live", "replay", "generated"]


class Chance(msgspec.Struct, frozen=True):
    """What chances said on average and how often it came, 0 … 1, over ``rows`` with an outcome.

    ``pr_auc`` stands beside ``came``, its prevalence, which is what chance would have.
    ``brier`` is their mean squared error.
    """

    said: float | None
    came: float | None
    rows: int
    brier: float | None
    pr_auc: float | None = None


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """A product now, all of its newest prediction and of its machine.

    Times are epoch µs: ``time_us`` and ``since_us`` of the exchange, ``received_us``,
    ``featurized_us`` and ``scored_us`` of the wall clock. ``price`` is the middle of the
    quote. ``volatility`` (RV60) and ``tau`` are log returns over 60 s. ``score`` is the chance of
    τ in the next 60 s,
    ``smoothed`` that smoothed, ``severe`` the chance of 2τ; where ``score`` is null, ``reason``
    says why. ``mode`` and ``detail`` are the machine's, but ``blind`` and ``silent`` where the row
    was received over 15 s ago, ``blind`` and ``unknown`` where there is no machine.
    ``thresholds`` are θ of the budget in use. ``acts``: the level was earned, so that others act
    on the state. ``taken`` counts predictions since the monitor began. ``last_day`` is, of the
    serving variant, what the chances of τ and of 2τ said and what came. ``behind`` is how many
    seconds of a generated market's past are still to be caught up, 0 once there are none.
    """

    product_id: str
    feed: str
    kind: FeedKind
    time_us: int
    received_us: int
    featurized_us: int
    scored_us: int
    price: float
    volatility: float | None
    tau: float | None
    tau_status: str | None
    score: float | None
    smoothed: float | None
    severe: float | None
    reason: str | None
    notes: Sequence[Note]
    mode: Mode
    detail: str
    since_us: int | None
    thresholds: Thresholds | None
    acts: bool
    behind: float
    variant: str
    version: str
    taken: int
    last_day: Mapping[str, Chance]


def glance_of(
    prediction: Prediction,
    state: State | None,
    now_us: int,
    taken: int = 1,
    last_day: Mapping[str, Chance] | None = None,
) -> Glance:
    """Return what is shown of a product at ``now_us`` (wall clock, epoch µs)."""
    p, state = prediction, state_of(prediction, state)
    shown = None if state is None else displayed(Standing(p.product_id, state), now_us)
    return Glance(
        product_id=p.product_id,
        feed=p.feed,
        kind=feed_kind(p.feed),
        time_us=p.time_us,
        received_us=p.received_us,
        featurized_us=p.featurized_us,
        scored_us=p.scored_us,
        price=p.mid,
        volatility=p.realized_volatility_60s,
        tau=p.tau,
        tau_status=p.tau_status,
        score=p.score,
        smoothed=None if state is None else state.smoothed,
        severe=p.severe,
        reason=p.reason,
        notes=p.notes,
        mode="blind" if shown is None else shown.mode,
        detail="unknown" if shown is None else shown.detail,
        since_us=None if shown is None or shown.since_us < 0 else shown.since_us,
        thresholds=None if shown is None else shown.thresholds,
        acts=shown is not None and shown.acts,
        behind=behind(p),
        variant=p.model_variant,
        version=p.version,
        taken=taken,
        last_day=last_day or {},
    )


def feed_kind(feed: str) -> FeedKind:
    """Return what a feed is of: the market, one that was made up, or a recording.

    >>> feed_kind("coinbase"), feed_kind("market-7@20260405T220000.000000Z"), feed_kind("btc@2026")
    ('live', 'generated', 'replay')
    """
    label = feed.partition("@")[0]
    if label == LIVE_FEED:
        return "live"
    return "generated" if label.startswith(GENERATED_FEED) else "replay"


def last_days(said: Sequence[Said]) -> dict[tuple[str, str], dict[str, Chance]]:
    """Return what chances said beside what came, by product and variant, then by event."""
    found: dict[tuple[str, str], dict[str, Chance]] = {}
    for each in said:
        of = each.figures
        figures = Chance(of.said, of.came, of.n, of.brier, of.pr_auc)
        found.setdefault((each.product_id, each.variant), {})[each.event] = figures
    return found


def state_of(prediction: Prediction, state: State | None) -> State | None:
    """Return the state that a prediction is shown with: of its feed, else there is none."""
    if state is None or state.last is None or state.last.feed != prediction.feed:
        return None
    return state
