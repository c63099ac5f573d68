"""What is kept has its digest, and is what the days say."""

import json
from pathlib import Path
from typing import Any

import pytest

from training.errors import DatasetError
from training.venues.paired import LOSSES, UNDECIDED
from training.venues.stored import digest_of, document_of, read_stored
from training.venues.table import EVENTS

ROOT = Path(__file__).resolve().parents[3]


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    """Figures and digest come back, whatever the order of names."""
    path = tmp_path / "stored.json"
    path.write_text(document_of({"b": [1.5, None], "a": "τ"}), encoding="utf-8")
    digest, found = read_stored(path)
    assert found == {"a": "τ", "b": [1.5, None]}
    assert digest == digest_of({"a": "τ", "b": [1.5, None]})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no", "found JSONDecodeError"),
        ('{"digest": "0"}', "found KeyError"),
        (json.dumps({"digest": "0", "found": {}}), "found figures of 44136fa.*, expected 0"),
    ],
)
def test_what_is_not_as_it_was_kept_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """It says what was found."""
    path = tmp_path / "stored.json"
    path.write_text(text)
    with pytest.raises(DatasetError, match=said):
        read_stored(path)


def share_rows(found: dict[str, Any]) -> list[str]:
    """Return the rows of the table of shares, as the page has them."""
    rows = []
    for table in found["shares"]:
        for day in [*table["days"], {"day": "all", **table["all"]}]:
            low, high = day["tau_bps"]
            cells = [table["venue"], day["day"], f"{day['established']:,}", f"{day['share']:.3f}"]
            rows.append(" | ".join([*cells, f"{low:.1f} to {high:.1f}"]))
    return rows


def gain(of: dict[str, Any]) -> str:
    """Return a gain as the page has it."""
    ends = "" if of["low"] is None else f" [{of['low']:+.4f}, {of['high']:+.4f}]"
    return f"{of['value']:+.4f}{ends}" + (", undecided" if of["verdict"] == UNDECIDED else "")


def gain_rows(judged: list[dict[str, Any]]) -> list[str]:
    """Return the rows of a table of gains, as the page has them."""
    rows = []
    for each in judged:
        for event, level in EVENTS.items():
            of = each[event]
            brier = ", ".join(f"{of['brier'][who]:.4f}" for who in ("model", "rule", "base"))
            cells = [each["tested"], each["learned"], str(of["parts"]), level]
            ranks = [of["pr_auc"][who] for who in ("model", "rule")]
            pr_auc = ", ".join("none" if x is None else f"{x:.3f}" for x in ranks)
            cells += [f"{of['prevalence']:.3f}", pr_auc, brier]
            cells += [gain(of[loss]["gain"]) for loss in LOSSES]
            gains = each.get("beside", {}).values()
            cells += [gain(beside[event]["log_loss"]) for beside in gains]
            rows.append(" | ".join(cells))
    return rows


def rows_of(title: str) -> list[str]:
    """Return the rows of the table below a heading of the page, without its head."""
    page = (ROOT / "docs" / "venues.md").read_text().replace("**", "")
    part = page.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [line.strip("| ") for line in part.splitlines() if line.startswith("| ")][1:]


def test_the_page_has_what_is_kept() -> None:
    """Each row of its tables, and no other."""
    found = read_stored()[1]
    assert rows_of("The level keeps its promise") == share_rows(found)
    assert rows_of("The model on days it never saw") == gain_rows(found["days"])
    assert rows_of("Captures, by the seed") == gain_rows(found["captures"])
    assert rows_of("Coinbase alone") == gain_rows(found["coinbase_alone"])


def test_the_package_has_figures_whose_shares_are_as_promised() -> None:
    """Each venue's lies in 0.07 to 0.13."""
    _, found = read_stored()
    shares = {table["venue"]: table["all"]["share"] for table in found["shares"]}
    assert shares.keys() == {"BitMEX", "BTC-e", "Binance"}
    assert all(0.07 <= share <= 0.13 for share in shares.values())
