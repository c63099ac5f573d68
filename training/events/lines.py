"""The published table for readers: the same figures in every page, and on the terminal."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from signals.leads import EARLY, LEADS
from training.report.marks import markdown
from training.venues.paired import UNDECIDED

Found = Mapping[str, Any]

NAMES: Final = {
    "model": "model",
    "rv60": "rv60, calibrated",
    "rv300": "rv300, calibrated",
    "ewma": "EWMA, calibrated",
    "rule": "rule: rv60 at the level",
    "always": "always",
}
EVENTS: Final = {"elevated": "τ", "spike": "2τ"}


def short_lines(found: Found) -> list[str]:
    """Return the short form of the model: alerts a day, lead beside chance, said and came."""
    head = ["state", "venue", "days", "onsets", "starts a day", "budget"]
    head += [f"on {EARLY} s ahead", "by chance", "above chance by", "said", "came"]
    return markdown(head, [_short(name, venue, of) for name, venue, of in _venues(found)])


def _short(name: str, venue: str, of: Found) -> list[str]:
    row, chances = of["rows"]["model"], of["chances"]["model"]["all"]
    events = row["events"]
    ahead = _at(events, EARLY)
    return [
        name,
        venue,
        f"{events['covered_days']:.2f}",
        str(events["onsets"]),
        f"{events['starts_a_day']:.1f}",
        str(events["budget"]),
        _share(ahead["share"]),
        _share(ahead["chance"]),
        gain_text(row["ahead_of_chance"]),
        _share(chances["said"]),
        _share(chances["came"]),
    ]


def full_lines(found: Found) -> list[str]:
    """Return the whole table in Markdown: leads, chances, tenths of the scale, days, θ."""
    lines = ["**Starts and leads.** A lead has chance in brackets.", "", *_lead_table(found), ""]
    lines += ["**Chances**, of all seconds and of calm ones.", "", *_chance_table(found), ""]
    lines += [f"**What the model gains on rv60**, {UNDECIDED} where said.", "", *_gains(found), ""]
    lines += ["**Said and came**, the model's, by tenths of the scale.", "", *_tenths(found), ""]
    lines += ["**By whole days**, the model's.", "", *_days(found), ""]
    lines += ["**Provisional levels**, of one to eight hours, the first of a venue.", ""]
    lines += [*_provisional(found), "", "**θ by budget**, of all days together.", ""]
    return lines + _thetas(found)


def event_lines(found: Found) -> Iterator[str]:
    """Return the figures for a terminal: the short form at the top, then all of it."""
    yield f"learned on {found['learned']}; each day by the θ of all other days of all venues"
    yield from short_lines(found)
    for name, level in found["levels"].items():
        for row, kept in level["kept"].items():
            yield f"{name}, budget {level['budget']} a day, {NAMES[row]}: {_kept(kept)}"
    yield from full_lines(found)


def _kept(kept: Found | None) -> str:
    if kept is None:
        return "refused"
    said = "kept" if kept["interval_contains_budget"] else "not kept"
    return f"{kept['starts_a_day']:.2f} starts a day over all days, {said}"


def _lead_table(found: Found) -> list[str]:
    head = ["state", "venue", "row", "starts a day", "in state"]
    head += [*(f"≥ {lead} s" for lead in LEADS), "already there", "right", "median lead, s"]
    rows = [
        [name, venue, NAMES[row], *_leads(figures)]
        for name, venue, of in _venues(found)
        for row, figures in of["rows"].items()
    ]
    return markdown(head, rows)


def _leads(figures: Found | None) -> list[str]:
    if figures is None:
        return ["refused", *["–"] * (len(LEADS) + 4)]
    of = figures["events"]
    leads = [_at(of, lead) for lead in LEADS]
    return [
        f"{of['starts_a_day']:.2f}",
        _share(of["share_in_state"]),
        *(f"{_share(each['share'])} ({_share(each['chance'])})" for each in leads),
        f"{of['already_there']} of {of['starts']}",
        f"{of['right']} of {of['right'] + of['wrong']}",
        "–" if of["median_lead_seconds"] is None else f"{of['median_lead_seconds']:.0f}",
    ]


def _chance_table(found: Found) -> list[str]:
    head = ["event", "venue", "row", "seconds", "came", "said", "Brier", "log loss", "ECE"]
    head += ["PR-AUC", "calm: came", "said", "Brier"]
    return markdown(head, list(_chance_rows(found)))


def _chance_rows(found: Found) -> Iterator[list[str]]:
    for name, venue, of in _venues(found):
        for row, figures in of["chances"].items():
            calm = figures.get("calm", {"came": None, "said": None, "brier": None})
            cells = [EVENTS[name], venue, NAMES[row], *_chances(figures["all"])]
            yield [*cells, *(_number(calm[each]) for each in ("came", "said", "brier"))]


def _chances(of: Found) -> list[str]:
    names = ("came", "said", "brier", "log_loss", "ece", "pr_auc")
    return [f"{of['n']:,}", *(_number(of[name]) for name in names)]


def _gains(found: Found) -> list[str]:
    rows = [
        [EVENTS[name], venue, *(gain_text(of["gains"][loss]) for loss in ("brier", "log_loss"))]
        for name, venue, of in _venues(found)
    ]
    return markdown(["event", "venue", "Brier", "log loss"], rows)


def _tenths(found: Found) -> list[str]:
    rows = [
        [EVENTS[name], venue, seconds, *_said(of["chances"]["model"][seconds]["bins"])]
        for name, venue, of in _venues(found)
        for seconds in ("all", "calm")
    ]
    return markdown(["event", "venue", "seconds", *(f"{k / 10:.1f} on" for k in range(10))], rows)


def _said(bins: list[Found]) -> list[str]:
    """Return of each tenth what was said and what came; – where nothing was said."""
    cells = ["–"] * 10
    for each in bins:
        at = min(int(each["said"] * 10), 9)
        cells[at] = f"{each['said']:.2f}, {each['came']:.2f}"
    return cells


def _days(found: Found) -> list[str]:
    head = ["state", "venue", "day", "days covered", "onsets", "starts", "in state"]
    head += [f"≥ {EARLY} s", "gain, Brier", "gain, log loss"]
    rows = [
        [name, venue, day, *_day(each), *_day_gains(of["gains"], day)]
        for name, venue, of in _venues(found)
        for day, each in of["by_day"].items()
    ]
    return markdown(head, rows)


def _day(each: Found) -> list[str]:
    return [
        f"{each['covered_days']:.2f}",
        str(each["onsets"]),
        str(each["starts"]),
        _share(each["share_in_state"]),
        f"{_share(each['ahead'])} ({_share(each['chance'])})",
    ]


def _day_gains(gains: Found, day: str) -> list[str]:
    days = [gains[loss]["by_part"].get(day) for loss in ("brier", "log_loss")]
    return ["–" if each is None else f"{each:+.4f}" for each in days]


def _provisional(found: Found) -> list[str]:
    head = ["event", "venue", "row", "seconds", "came", "said", "Brier", "log loss", "ECE"]
    rows = [
        [EVENTS[name], venue, NAMES[row], *_chances(figures)]
        for name in EVENTS
        for venue, of in found["provisional"].items()
        for row, figures in of[name].items()
    ]
    return markdown([*head, "PR-AUC"], rows)


def _thetas(found: Found) -> list[str]:
    levels = [
        (row, name, of) for row, each in found["thresholds"].items() for name, of in each.items()
    ]
    budgets = list(levels[0][2])
    rows = [
        [NAMES[row], name, *(_theta(of[budget]) for budget in budgets)] for row, name, of in levels
    ]
    return markdown(["row", "state", *(f"{budget} a day" for budget in budgets)], rows)


def _theta(choice: Found) -> str:
    if choice["theta"] is None:
        return f"refused: {str(choice['refused']).replace('_', ' ')}"
    return f"{choice['theta']:.2f}"


def _venues(found: Found) -> Iterator[tuple[str, str, Found]]:
    for name, level in found["levels"].items():
        for venue, of in level["venues"].items():
            yield name, f"{venue} {found['products'][venue]}", of


def _at(events: Found, lead: int) -> Found:
    at: Found = next(each for each in events["detected"] if each["lead"] == lead)
    return at


def gain_text(gain: Found | None) -> str:
    """Return a gain with its interval, and whether it is not decidable."""
    if gain is None:
        return "–"
    ends = "" if gain["low"] is None else f" [{gain['low']:+.4f}, {gain['high']:+.4f}]"
    return f"{gain['value']:+.4f}{ends}" + (
        f", {UNDECIDED}" if gain["verdict"] == UNDECIDED else ""
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
