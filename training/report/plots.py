"""The plots of a report, each a PNG: drawn without a screen, equal bytes for equal figures."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve

from ingestor.instant import text_of
from training.evaluation.measures import reliability
from training.evaluation.study import Study
from training.models.candidates import BASELINE, CANDIDATES, RULE_NAME
from training.report.document import price_of

COLOURS: Final = {"chosen": "#1b6ca8", RULE_NAME: "#c8553d", BASELINE: "#8a8d91", "more": "#b6a36c"}
_LINE: Final = 1.4


def plots_of(study: Study, files: Mapping[int, str]) -> dict[str, bytes]:
    """Return each plot's PNG by its name; ``files`` names the captures by number."""
    found = {"precision_recall": _png(_precision_recall(study))}
    found["reliability"] = _png(_reliability(study))
    for number, name in files.items():
        for product in np.unique(study.problem.table.product):
            rows = (study.problem.table.capture == number) & (
                study.problem.table.product == product
            )
            if rows.any():
                stem = name.split(".")[0]
                found[f"score_{stem}_{product}"] = _png(_over_price(study, rows, str(product)))
    return found


def _png(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()


def _figure(width: float, height: float, rows: int = 1) -> tuple[Figure, list[Any]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.grid(alpha=0.25, linewidth=0.6)
    return figure, list(axes)


def _shown(study: Study) -> dict[str, str]:
    """Name the candidates that are drawn, each with its colour."""
    chosen = study.choice.key[0]
    return {
        chosen: COLOURS["chosen"],
        RULE_NAME: COLOURS[RULE_NAME],
        BASELINE: COLOURS[BASELINE],
        "forest": COLOURS["more"],
    }


def _precision_recall(study: Study) -> Figure:
    figure, (axes,) = _figure(6.2, 4.2)
    evidence = study.evidence
    for name, colour in _shown(study).items():
        scored = evidence.scored.get(study.key_of(name))
        if scored is None or not evidence.spikes[scored.has_score].any():
            continue
        at = scored.has_score
        precision, recall, _ = precision_recall_curve(evidence.spikes[at], scored.score[at])
        axes.step(recall, precision, where="post", color=colour, lw=_LINE, label=_title(name))
    prevalence = float(evidence.spikes.mean())
    axes.axhline(prevalence, color="black", lw=0.8, ls=":", label=f"prevalence {prevalence:.3f}")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.03))
    axes.set_title("Out of fold: every capture evaluated by the others", fontsize=10, loc="left")
    figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=2)
    return figure


def _reliability(study: Study) -> Figure:
    figure, (axes,) = _figure(6.2, 4.2)
    axes.plot([0, 1], [0, 1], color="black", lw=0.8, ls=":")
    for name in (study.choice.key[0], BASELINE):
        scored = study.evidence.scored[study.key_of(name)]
        at, colour = scored.has_score, _shown(study)[name]
        parts = reliability(study.evidence.spikes[at], scored.score[at])
        said, came = [p["said"] for p in parts], [p["came"] for p in parts]
        size = [8 + 12 * np.log1p(p["rows"] / 60) for p in parts]
        axes.plot(said, came, color=colour, lw=_LINE, label=_title(name))
        axes.scatter(said, came, s=size, color=colour)
    axes.set(xlabel="score", ylabel="share of spikes", xlim=(0, 1), ylim=(-0.02, 1.02))
    axes.set_title("Said and came; dots grow with rows", fontsize=10, loc="left")
    axes.legend(frameon=False, fontsize=8)
    return figure


def _over_price(study: Study, rows: Any, product: str) -> Figure:
    figure, (price, score) = _figure(9.0, 3.6, rows=2)
    drawn = price_of(study, rows)
    minutes = np.asarray(drawn["seconds"], np.float64) / 60
    broken = np.append(np.diff(minutes) > 0.5, False)
    price.plot(minutes, np.where(broken, np.nan, drawn["mid"]), color="black", lw=0.9)
    if drawn["spikes"].any():
        low, high = price.get_ylim()
        price.fill_between(
            minutes, low, high, where=drawn["spikes"], color=COLOURS[RULE_NAME], alpha=0.18, lw=0
        )
        price.set_ylim(low, high)
    score.plot(minutes, np.where(broken, np.nan, drawn["score"]), color=COLOURS["chosen"], lw=0.9)
    if drawn["alarm"] is not None and drawn["alarm"].any():
        score.fill_between(
            minutes, 0, 1, where=drawn["alarm"], color=COLOURS["chosen"], alpha=0.15, lw=0
        )
    start = text_of(int(study.problem.table.time_us[rows][0]))[:16].replace("T", " ")
    price.set_ylabel("mid")
    price.ticklabel_format(axis="y", useOffset=False)
    price.set_title(f"{product} from {start} UTC; shaded: a spike follows", fontsize=10, loc="left")
    score.set(xlabel="minutes", ylabel="score", ylim=(0, 1))
    return figure


def _title(name: str) -> str:
    return CANDIDATES[name].title
