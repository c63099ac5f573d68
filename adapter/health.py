"""What ``/health`` and ``/version`` say: what is well and what is not."""

from collections.abc import Mapping
from typing import Any

from adapter.model_router import State
from featurizer.features import FEATURES_DIGEST
from serving.artifact import ModelInfo
from serving.control import Serving, Variant

SERVICE = "crypto-volatility"


def able(serving: Serving, states: Mapping[Variant, State], has_fallback: bool) -> bool:
    """Say whether ``/predict`` can answer."""
    state = states.get(serving.variant)
    return has_fallback or (state is not None and state.answers)


def health(
    serving: Serving,
    states: Mapping[Variant, State],
    *,
    has_fallback: bool,
    control: str,
    feed_dialect: str,
) -> dict[str, Any]:
    """Return the body of ``/health``.

    ``status`` is ``well``, ``degraded`` (answers, but something is not as it should be) or
    ``unable`` (``/predict`` cannot answer). The feed's freshness is the monitor's to know.
    """
    warnings = [
        *(f"variant {name} does not answer" for name, s in states.items() if not s.answers),
        *_dialects(states, feed_dialect),
    ]
    if control == "away":
        warnings.append(f"topic control is not reachable: {serving.variant} goes on serving")
    can = able(serving, states, has_fallback)
    last = serving.last
    return {
        "status": "unable" if not can else "degraded" if warnings else "well",
        "variant": serving.variant,
        "changed_by": last.changed_by if last else None,
        "changed_us": last.changed_us if last else None,
        "answered_by_fallback": can and not states[serving.variant].answers,
        "control": control,
        "models": {name: _model(state) for name, state in states.items()},
        "warnings": warnings,
    }


def version(
    serving: Serving, states: Mapping[Variant, State], service_version: str
) -> dict[str, Any]:
    """Return the body of ``/version``; of a model that has never answered all is null."""
    served = states.get(serving.variant)
    info = served.info if served else None
    return {
        "service": SERVICE,
        "service_version": service_version,
        "model_variant": serving.variant,
        "version": info.version if info else None,
        "digest": info.digest if info else None,
        "features_digest": FEATURES_DIGEST,
        "models": {name: _identity(state.info) for name, state in states.items()},
    }


def _dialects(states: Mapping[Variant, State], feed_dialect: str) -> list[str]:
    return [
        f"variant {name} was trained on dialect {state.info.dialect}, the feed's is {feed_dialect}"
        for name, state in states.items()
        if state.info and state.info.dialect != feed_dialect
    ]


def _model(state: State) -> dict[str, Any]:
    return {"answers": state.answers} | (_identity(state.info) or {})


def _identity(info: ModelInfo | None) -> dict[str, Any] | None:
    if info is None:
        return None
    return {
        "version": info.version,
        "digest": info.digest,
        "features_digest": info.features_digest,
        "dialect": info.dialect,
        "products": sorted(info.tau),
        "default_tau": info.default_tau,
    }
