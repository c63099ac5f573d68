"""External tables: each table by a reader of its own, none of them ever part of τ."""

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.commands.extras import _tau
from training.errors import DatasetError
from training.external.readers import (
    EXTERNAL_TABLES,
    read_bars,
    read_changes,
    read_derived,
    read_mixed,
    signed_imbalance,
)
from training.external.seconds import series_rows
from training.external.tables import WALK_ROWS, evaluate_tables, table_lines

START = pd.Timestamp("2026-04-04T03:00:00Z")


def mids(seconds: int, seed: int = 6) -> np.ndarray:
    """Return mids whose volatility comes and goes over minutes."""
    chance, level = np.random.default_rng(seed), np.zeros(seconds)
    for at in range(1, seconds):
        level[at] = 0.995 * level[at - 1] + 0.1 * chance.normal()
    return 60_000 * np.exp(np.cumsum(2e-5 * np.exp(level) * chance.normal(size=seconds)))


def derived(seconds: int) -> pd.DataFrame:
    """Make a table of tick features of two products, a tick a second each."""
    times = START + pd.to_timedelta(np.arange(seconds), unit="s")
    parts = [
        pd.DataFrame(
            {
                "timestamp": times + pd.Timedelta(milliseconds=number),
                "product_id": product,
                "midprice": mids(seconds, number),
                "bid_ask_spread": 0.01,
                "order_book_imbalance": 0.75,
                "label": 1,
            }
        )
        for number, product in enumerate(("BTC-USD", "ETH-USD"))
    ]
    return pd.concat(parts).sort_values("timestamp").reset_index(drop=True)


def peer(seconds: int) -> pd.DataFrame:
    """Make a table of one-second rows."""
    times = START + pd.to_timedelta(np.arange(seconds), unit="s")
    return pd.DataFrame(
        {
            "window_end_ts": times.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "product_id": "BTC-USD",
            "midprice": mids(seconds),
            "spread_bps": 0.001,
            "tick_count_5s": 20.0,
        }
    )


def bars(folder: Path, day: str, rows: list[str]) -> Path:
    """Write a day of trade bars as Lean does."""
    path = folder / f"gdax_btc_{day}_second_trade.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{day}_btcusd_second_trade.csv", "\n".join(rows) + "\n")
    return path


def book(folder: Path, seconds: int, price: Callable[[int], int]) -> list[Path]:
    """Write snapshots and level changes whose best bid follows ``price``; asks stand 2 above."""
    clock = (START + pd.to_timedelta(np.arange(seconds), unit="s")).strftime(
        "%Y-%m-%dT%H:%M:%S.100Z"
    )
    changes, before = ["side,price,size,time"], price(0)
    for at, time in enumerate(clock):
        now = price(at)
        if now != before:
            changes += [f"buy,{before},0.0,{time}", f"sell,{before + 2},0.0,{time}"]
        changes += [f"buy,{now},3.0,{time}", f"sell,{now + 2},1.0,{time}"]
        before = now
    texts = {
        "exch_l2snapshot_asks_btc_20180424.csv.gz": f"side,price,size\nsell,{price(0) + 2},1.0\n",
        "exch_l2snapshot_bids_btc_20180424.csv.gz": f"side,price,size\nbuy,{price(0)},3.0\n",
        "exch_l2update_btc_20180424_part1of4.csv.gz": "\n".join(changes) + "\n",
    }
    for name, text in texts.items():
        (folder / name).write_bytes(gzip.compress(text.encode()))
    return [folder / name for name in texts]


def test_every_table_is_evaluated_beside_the_rule(tmp_path: Path) -> None:
    """Long tables are walked forward, short ones only say how often they reach τ."""
    derived(2600).to_parquet(tmp_path / "adv_derived_a.parquet")
    peer(900).to_parquet(tmp_path / "peer_1s_b.parquet")
    found = evaluate_tables(tmp_path, {"BTC-USD": 3e-4})
    kinds = [(table["kind"], table["product"]) for table in found["tables"]]
    assert kinds == [
        ("derived_ticks", "BTC-USD"),
        ("derived_ticks", "ETH-USD"),
        ("derived_seconds", "BTC-USD"),
    ]
    long, other, short = found["tables"]
    assert [part["part"] for part in long["walk_forward"]["parts"]] == ["quarter 3", "quarter 4"]
    assert set(long["walk_forward"]["pooled"]) >= {"rule", "logistic_regression", "prevalence"}
    assert other["at_promoted_tau"] is None
    assert short["at_promoted_tau"]["tau"] == 3e-4
    assert f"takes {WALK_ROWS}" in short["walk_forward"]["note"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert "never part of τ" in table_lines(found)[0]


def test_imbalance_is_mapped_to_ours(tmp_path: Path) -> None:
    """bid/(bid+ask) of 0.75 is our 0.5; the peer's own label is not read."""
    derived(400).to_parquet(tmp_path / "adv_derived_a.parquet")
    series = read_derived([tmp_path / "adv_derived_a.parquet"])["BTC-USD"]
    assert set(series.imbalance.tolist()) == {0.5}
    assert signed_imbalance(np.array([0.0, 1.0])).tolist() == [-1.0, 1.0]


def test_bars_of_days_are_one_series_and_prices_stand(tmp_path: Path) -> None:
    """A second without a bar had no trade; the price goes on over midnight."""
    paths = [
        bars(tmp_path, "20161007", ["86398000,1,1,1,610.5,2", "86399000,1,1,1,611.0,2"]),
        bars(tmp_path, "20161008", ["3000,1,1,1,612.0,2"]),
    ]
    series = read_bars(paths)["BTC-USD"]
    assert series.mid.tolist() == [610.5, 611.0, 611.0, 611.0, 611.0, 612.0]
    assert series.joined.all()
    assert pd.Timestamp(int(series.second[2]), unit="s") == pd.Timestamp("2016-10-08")


def test_a_book_gives_its_best_quote_each_second(tmp_path: Path) -> None:
    """Mid, spread and imbalance are those of the best levels."""
    series = read_changes(book(tmp_path, 500, lambda at: 1000 + at % 3))["BTC-USD"]
    assert series.mid[:4].tolist() == [1001.0, 1002.0, 1003.0, 1001.0]
    assert series.spread[0] == pytest.approx(2 / 1001)
    assert set(series.imbalance.tolist()) == {0.5}
    assert series_rows(series)[1]["usable"] == 500 - 299 - 60


def test_mixed_frames_give_a_book(tmp_path: Path) -> None:
    """One snapshot, then level changes; other frames are passed over."""
    rows = [
        {"type": "snapshot", "bids": "[['10', '1']]", "asks": "[['12', '1']]"},
        {"type": "error", "message": "no such channel"},
        {"type": "l2update", "changes": "[['buy', '11', '3']]", "time": "2018-04-17T00:55:04.358Z"},
    ]
    path = tmp_path / "exch_mixed_frames_x.csv.gz"
    pd.DataFrame(rows).to_csv(path, index=False)
    series = read_mixed([path])["BTC-USD"]
    assert (series.mid.tolist(), series.imbalance.tolist()) == ([11.5], [0.5])


def test_no_external_table_is_a_recording() -> None:
    """What training reads from a folder and what is an external table never meet."""
    recordings = ["adv_flat_x.ndjson.gz", "adv_ticker_x.ndjson.gz", "exch_ticker_x.ndjson.gz"]
    assert not [
        n
        for n in recordings
        for external_table in EXTERNAL_TABLES
        if external_table.pattern.fullmatch(n)
    ]


def spoil(folder: Path, what: str) -> None:
    """Write one table that is spoiled in one way."""
    frame = derived(400)
    if what == "unknown mid":
        frame.loc[11, "midprice"] = np.nan
    elif what == "price of 0":
        frame.loc[12, "midprice"] = 0.0
    elif what == "imbalance of 2":
        frame.loc[13, "order_book_imbalance"] = 2.0
    elif what == "unsorted":
        frame = frame.iloc[[2, 1, 0, 3]].reset_index(drop=True)
    elif what == "no product":
        frame = frame.drop(columns="product_id")
    elif what == "empty":
        frame = frame.iloc[:0]
    frame.to_parquet(folder / "adv_derived_a.parquet")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("unknown mid", "adv_derived_a.parquet, row 12: found nan in midprice, expected a finite"),
        ("price of 0", "adv_derived_a.parquet, row 13: found 0.0 in midprice, expected a price"),
        ("imbalance of 2", "adv_derived_a.parquet, row 14: found 2.0 in order_book_imbalance"),
        ("unsorted", "adv_derived_a.parquet, row 3: found .* expected rows in time order"),
        ("no product", "adv_derived_a.parquet, header: found no product_id"),
        ("empty", "adv_derived_a.parquet, row 1: found the end of the file"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, what: str, said: str) -> None:
    """The refusal names file, row (of the whole file) and reason."""
    spoil(tmp_path, what)
    with pytest.raises(DatasetError, match=said):
        evaluate_tables(tmp_path)


def test_bad_books_and_bars_are_refused(tmp_path: Path) -> None:
    """So it does for books without a snapshot, unknown sides, cut files, and bars out of order."""
    paths = book(tmp_path, 10, lambda at: 1000)
    with pytest.raises(DatasetError, match="expected snapshots of asks and bids"):
        read_changes(paths[1:])
    paths[2].write_bytes(gzip.compress(b"side,price,size,time\nbid,1,1,2018-04-24T03:52:17Z\n"))
    with pytest.raises(DatasetError, match=r"part1of4\.csv\.gz, row 1: found bid in side"):
        read_changes(paths)
    paths[2].write_bytes(paths[2].read_bytes()[:20])
    with pytest.raises(DatasetError, match="expected a readable table"):
        read_changes(paths)
    with pytest.raises(DatasetError, match=r"second_trade\.zip, row 2: found 1000 in milliseconds"):
        read_bars([bars(tmp_path, "20161007", ["1000,1,1,1,610.5,2"] * 2)])
    with pytest.raises(DatasetError, match=r"row 2: found .*, expected a book frame"):
        path = tmp_path / "exch_mixed_frames_x.csv.gz"
        path.write_bytes(gzip.compress(b'type,time,changes\nmatch,,\nl2update,noon,"[]"\n'))
        read_mixed([path])


def test_a_folder_without_external_tables_is_refused(tmp_path: Path) -> None:
    """Nothing to evaluate is an error."""
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(DatasetError, match="expected"):
            evaluate_tables(folder)


def test_tau_comes_from_the_promotion_or_is_not_given(tmp_path: Path) -> None:
    """Without a card there is no τ; a card that is none is named."""
    assert _tau(tmp_path / "absent.json") == {}
    card: dict[str, Any] = {"tau": {"BTC-USD": 7e-4}}
    (tmp_path / "card.json").write_text(json.dumps(card))
    assert _tau(tmp_path / "card.json") == card["tau"]
    (tmp_path / "card.json").write_text("[]")
    with pytest.raises(DatasetError, match="expected a model card"):
        _tau(tmp_path / "card.json")


@pytest.mark.captures
@pytest.mark.exhaustive
def test_the_real_external_tables_are_as_their_notes_say(captures: Path) -> None:
    """At 7.09 bps the shares are those that were counted when the tables were gathered."""
    found = evaluate_tables(captures, {"BTC-USD": 7.09e-4, "ETH-USD": 7.09e-4})
    share = {
        (table["kind"], table["product"]): table["at_promoted_tau"]["rule"]["prevalence"]
        for table in found["tables"]
    }
    assert share[("derived_ticks", "BTC-USD")] == share[("derived_ticks", "ETH-USD")] == 0.0
    assert share[("derived_seconds", "BTC-USD")] == pytest.approx(0.106, abs=0.02)
    assert share[("derived_seconds", "ETH-USD")] == pytest.approx(0.141, abs=0.02)
    assert share[("second_bars", "BTC-USD")] == pytest.approx(0.002, abs=0.001)
    assert 0.0 < share[("level_changes", "BTC-USD")] < 0.06
    assert len(found["tables"]) == 7
