"""The command line and the environment."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulator.__main__ import parse
from simulator.config import SimulatorSettings
from simulator.faults import Faults
from simulator.source import source_of

NOW_US = 1_790_000_000_400_000


def test_flags_override_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag wins; what has no flag comes from the environment."""
    monkeypatch.setenv("SIMULATOR_SPEED", "3")
    monkeypatch.setenv("SIMULATOR_SEED", "11")
    monkeypatch.setenv("SIMULATOR_RECORDING", "")
    settings = parse(["--speed", "20", "--products", "BTC-USD,ETH-USD", "--loop"])
    assert (settings.speed, settings.seed, settings.loop) == (20.0, 11, True)
    assert settings.products == ("BTC-USD", "ETH-USD")
    assert settings.recording is None


def test_a_market_has_an_end_only_where_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset there is none; the flag goes before the environment."""
    assert parse([]).length is None
    monkeypatch.setenv("SIMULATOR_LENGTH", "60")
    assert parse([]).length == 60
    assert parse(["--length", "90"]).length == 90


def test_the_start_is_utc_without_a_zone() -> None:
    """A naive start means UTC, the default lies far in the past."""
    assert parse(["--start", "2025-01-01T00:00:00"]).start == datetime(2025, 1, 1, tzinfo=UTC)
    assert SimulatorSettings().start == datetime(2024, 1, 1, tzinfo=UTC)


def test_a_wandering_market_has_a_label_of_its_own() -> None:
    """Levels of the other market of the same seed are not taken for its own."""
    wandering = parse(["--volatility", "wandering", "--length", "2", "--seed", "7"])
    assert source_of(wandering, 0).feed(0).startswith("market-wandering-7@")
    usual = parse(["--length", "2", "--seed", "7"])
    assert source_of(usual, 0).feed(0).startswith("market-7@")
    made = [list(source_of(each, 0).open(Faults(), 0)) for each in (wandering, usual)]
    assert made[0] != made[1]


def test_a_history_begins_before_now_and_goes_on_through_it() -> None:
    """Two markets of one seed that begin at different times are one and the same but for those."""
    settings = parse(["--history-seconds", "60", "--length", "70", "--seed", "7"])
    source = source_of(settings, 0)
    assert source.by_clock
    one, other = (
        [(f.time_us - now_us, json.loads(f.data)["events"]) for f in source.open(Faults(), now_us)]
        for now_us in (NOW_US, NOW_US + 7_200_000_000)
    )
    assert [at for at, _ in one] == [at for at, _ in other]
    assert -61_000_000 < one[0][0] < 0 < one[-1][0] <= 10_000_000
    prices = [[e[0]["tickers"] for _, e in made if "tickers" in e[0]] for made in (one, other)]
    assert prices[0] == prices[1]


@pytest.mark.parametrize(
    "flags",
    [
        ["--speed", "20"],
        ["--start", "2024-01-01"],
        ["--recording", "x"],
        ["--history-seconds", "0"],
    ],
)
def test_an_event_time_of_its_own_has_no_history(flags: list[str]) -> None:
    """Whoever asks for a recording, a speed or a start gets that."""
    assert parse(["--history-seconds", "60"]).past_seconds == 60
    assert parse(["--history-seconds", "60", *flags]).past_seconds == 0


@pytest.mark.parametrize(
    "flags",
    [
        ["--volatility", "angry"],
        ["--speed", "0"],
        ["--products", ","],
        ["--products", "A,A"],
        ["--length", "0"],
        ["--history-seconds", "-1"],
    ],
)
def test_a_wrong_setting_ends_with_a_usage_error(flags: list[str]) -> None:
    """The command ends with code 2 and says what was expected."""
    with pytest.raises(SystemExit) as ended:
        parse(flags)
    assert ended.value.code == 2


@pytest.mark.process
def test_an_unreadable_recording_ends_the_process_with_a_message(tmp_path: Path) -> None:
    """The process ends with code 2 and names file and line."""
    bad = tmp_path / "bad.ndjson"
    bad.write_text("nonsense\n")
    command = [sys.executable, "-m", "simulator", "--recording", str(bad), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "bad.ndjson, line 1" in done.stdout
