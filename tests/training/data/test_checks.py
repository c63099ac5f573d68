"""What a recording must not be, named with file, row and reason."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingestor.instant import instant, text_of
from training.data.checks import external_table
from training.data.dataset import build, read_capture
from training.errors import DatasetError

Write = Callable[..., Path]
Lines = list[dict[str, str]]


def silent(_: str) -> None:
    """Say nothing."""


def test_a_replays_wall_clock_is_refused(tmp_path: Path, write: Write) -> None:
    """Hours of ticks in a minute of event time are named at the row that gives them away."""

    def squeezed(lines: Lines) -> Lines:
        return [x | {"timestamp": text_of(10**15 + at * 2_000, 7)} for at, x in enumerate(lines)]

    path = write(tmp_path / "fast.ndjson", change=squeezed)
    reason = r"fast.ndjson: line 1201: found 1201 ticks of BTC-USD in 2.4 s of event time"
    with pytest.raises(DatasetError, match=reason):
        build([path], silent)
    other = write(tmp_path / "good.ndjson")
    assert [name for name, _ in build([tmp_path], silent).left_out] == [path.name]
    assert other.exists()


def received(lines: Lines, lag_us: Callable[[int], int]) -> Lines:
    """Add the receive time that a recorder with this lag would write."""
    found = []
    for at, line in enumerate(lines):
        moment = instant(line["timestamp"])[0] + lag_us(at)
        found.append(line | {"received_at": text_of(moment)})
    return found


def test_event_times_of_the_receive_clock_are_refused(tmp_path: Path, write: Write) -> None:
    """Times that follow the receive clock at a fixed distance are the recorder's own."""
    path = write(
        tmp_path / "clock.ndjson", change=lambda lines: received(lines, lambda at: 20 + at % 50)
    )
    with pytest.raises(DatasetError, match=r"clock.ndjson: found 1600 of 1600 event times at one"):
        read_capture(path)


def test_a_networks_lag_is_accepted(tmp_path: Path, write: Write) -> None:
    """Receive times that scatter by milliseconds, even before the event, are a network's."""
    path = write(
        tmp_path / "net.ndjson",
        change=lambda lines: received(lines, lambda at: -60_000 + at * 7919 % 9_000),
    )
    assert read_capture(path).usable == {"BTC-USD": 440}


def test_one_product_without_sizes_is_reported(tmp_path: Path, write: Write) -> None:
    """Missing sizes are no error; the report says of which product."""

    def unsized(lines: Lines) -> Lines:
        sizes = ("best_bid_quantity", "best_ask_quantity")
        return [
            {k: v for k, v in x.items() if x["product_id"] == "BTC-USD" or k not in sizes}
            for x in lines
        ]

    path = write(tmp_path / "two.ndjson", products=("BTC-USD", "ETH-USD"), change=unsized)
    said: list[str] = []
    dataset = build([path], said.append)
    assert {p: c.sized_share for p, c in dataset.captures[0].coverage.items()} == {
        "BTC-USD": 1.0,
        "ETH-USD": 0.0,
    }
    assert "sizes in 0% of the ticks" in said[2]


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("adv_derived_btc_eth_20260404T0319_80min.parquet", "extras"),
        ("peer_1s_features_btc_eth_20260401T0233_53min.parquet", "extras"),
        ("exch_minutes_btc_20260706_20260805.csv.gz", "minutes"),
        ("gdax_btc_20161007_second_trade.zip", "extras"),
        ("exch_l2update_btc_20180424_part1of4.csv.gz", "extras"),
        ("seed_features_sample_1000rows.parquet", "seed-figure"),
    ],
)
def test_derived_tables_have_a_path_of_their_own(tmp_path: Path, name: str, command: str) -> None:
    """A table is refused with the command that reads it; recordings are not taken for one."""
    path = tmp_path / name
    path.write_bytes(b"anything")
    with pytest.raises(DatasetError, match=rf"{name}: .*`python -m training {command}"):
        build([path], silent)
    assert external_table("adv_ticker_btc_20260405T2235_20min.ndjson.gz") is None


def test_a_foreign_exchange_is_refused(tmp_path: Path) -> None:
    """A line of another exchange is named with what was found."""
    path = tmp_path / "binance.ndjson"
    path.write_text('{"e":"bookTicker","s":"BTCUSDT","b":"1","a":"2","E":1700000000000}\n')
    with pytest.raises(DatasetError, match=r"binance.ndjson, line 1: .*bookTicker"):
        build([path], silent)


def test_the_same_recording_twice_counts_once(tmp_path: Path, write: Write) -> None:
    """A copy under another name is left out, so that nothing is learned from twice."""
    first = write(tmp_path / "a.ndjson")
    (tmp_path / "b.ndjson").write_bytes(first.read_bytes())
    dataset = build([tmp_path], silent)
    assert dataset.left_out == (("b.ndjson", "the same bytes as a.ndjson"),)
