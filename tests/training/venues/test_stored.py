"""What is kept has its digest, and is what the days say."""

import json
from pathlib import Path

import pytest

from training.errors import DatasetError
from training.venues.stored import digest_of, document_of, read_stored

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


def test_the_page_has_the_shares_that_are_kept() -> None:
    """Each day of each venue is a row of ``docs/venues.md``, and no other is."""
    rows = []
    for table in read_stored()[1]["shares"]:
        for day in [*table["days"], {"day": "all", **table["all"]}]:
            low, high = day["tau_bps"]
            share, n = f"{day['share']:.3f}", f"{day['established']:,}"
            rows.append(
                f"{table['venue']} | {day['day']} | {n} | {share} | {low:.1f} to {high:.1f}"
            )
    page = (ROOT / "docs" / "venues.md").read_text().replace("**", "")
    part = page.partition("## The level keeps its promise")[2].partition("\n## ")[0]
    assert [line.strip("| ") for line in part.splitlines() if line.startswith("| B")] == rows


def test_the_package_has_figures_whose_shares_are_as_promised() -> None:
    """Each venue's lies in 0.07 to 0.13."""
    _, found = read_stored()
    shares = {table["venue"]: table["all"]["share"] for table in found["shares"]}
    assert shares.keys() == {"BitMEX", "BTC-e", "Binance"}
    assert all(0.07 <= share <= 0.13 for share in shares.values())
