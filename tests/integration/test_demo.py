"""The demo as a user runs it: a replay with every service killed once, and its end by Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from featurizer import row as feature_row
from featurizer.engine import FeatureEngine
from featurizer.level.levels import Levels
from featurizer.level.seeds import default_seeds
from featurizer.row import FeatureRow
from ingestor import tick
from ingestor.continuity import events
from ingestor.recordings.recording import read_frames
from local.state import NoDemoError, read_state
from monitor import outcome
from monitor.outcome import Outcome
from plumbing.kafka import KafkaSettings, Reader
from scorer import prediction
from scorer.prediction import Prediction
from simulator.market import frames
from tests.waiting import eventually, patience, slowness

ROOT = Path(__file__).resolve().parents[2]
PRODUCTS = ("BTC-USD", "ETH-USD")
START_US = 1_775_000_000 * 1_000_000
SECONDS = 2_400
"""So much is recorded, more for a busy machine; what is left after the last kill is cut off."""
AHEAD_SECONDS = 60
"""Of event time, from what was played to the cut: whoever reads the recording is before it."""
SPEED = 8
KILLED = ("featurizer", "scorer", "adapter", "monitor", "mlserver")
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]


@dataclass(slots=True)
class Demo:
    """A running demo, its folder and what it says."""

    process: subprocess.Popen[str]
    folder: Path
    out: Path
    err: Path

    def state(self) -> Mapping[str, Any]:
        """What `python -m local status` shows; empty before the start."""
        try:
            return read_state(self.folder)
        except NoDemoError:
            return {}

    def is_ready(self) -> bool:
        """True once all children were ready."""
        assert self.process.poll() is None, self.err.read_text()
        return bool(self.state().get("ready"))

    def pids(self) -> dict[str, int]:
        """The children's process ids by name."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = {}
        for pid in map(int, task.read_text().split()):
            command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            names = [word for word in command if word in self.state()["children"]]
            if names or "start" in command:
                found[names[0] if names else "mlserver"] = pid
        return found

    def ask(self, name: str, path: str) -> Any:
        """Ask a child for JSON."""
        url = f"http://127.0.0.1:{self.state()['ports'][name]}{path}"
        with urllib.request.urlopen(url, timeout=patience()) as answer:
            return json.load(answer)

    def played_us(self) -> int:
        """Event time of what the exchange plays now."""
        played: int = self.ask("simulator-admin", "/status")["event_time_us"]
        return played

    def summary(self) -> dict[str, Any]:
        """The last line of its output."""
        self.process.wait(patience(180))
        assert self.out.read_text(), self.err.read_text()
        summary: dict[str, Any] = json.loads(self.out.read_text().splitlines()[-1])
        return summary


def start(folder: Path, **settings: str) -> Demo:
    """Start `python -m local demo`, as `make demo` does."""
    out, err = folder / "out", folder / "err"
    environment = {**os.environ, "RUN_DIR": str(folder / "run"), **settings}
    with out.open("w") as to_out, err.open("w") as to_err:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "demo"],
            cwd=ROOT,
            env=environment,
            stdout=to_out,
            stderr=to_err,
            text=True,
        )
    return Demo(process, folder / "run", out, err)


class Recording:
    """A generated market in a file that can be cut off while it is replayed, line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ends: list[tuple[int, int]] = []
        with path.open("wb") as lines:
            for frame in frames(11, PRODUCTS, START_US, round(SECONDS * slowness())):
                data = frame.data.encode() if isinstance(frame.data, str) else frame.data
                lines.write(data + b"\n")
                self._ends.append((frame.time_us, lines.tell()))

    def cut(self, demo: Demo) -> None:
        """Let it end soon after what the demo has played."""
        after_us = demo.played_us() + round(AHEAD_SECONDS * slowness()) * 1_000_000
        until_us, size = next(end for end in self._ends if end[0] > after_us)
        os.truncate(self.path, size)
        assert demo.played_us() < until_us, "the replay was past the cut when it was made"


@dataclass(slots=True)
class Drill:
    """What a replay left behind in which each service was killed once."""

    summary: dict[str, Any]
    said: str
    ticks: list[tick.Event]
    rows: list[bytes]
    predictions: list[Prediction]
    outcomes: list[Outcome]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Two generated products, as a recording."""
    return Recording(tmp_path_factory.mktemp("recording") / "generated.ndjson")


@pytest.fixture(scope="module")
def drill(
    kafka: KafkaSettings, recording: Recording, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Drill]:
    """Replay the recording; kill and restart one service after the other while it runs."""
    folder = tmp_path_factory.mktemp("drill")
    settings = kafka.model_copy(update={"topic_prefix": f"drill-{os.getpid()}-"})
    demo = start(
        folder,
        RECORDING=str(recording.path),
        SPEED=str(SPEED),
        DURATION="7200",  # its end comes first
        KAFKA_BOOTSTRAP_SERVERS=settings.bootstrap_servers,
        KAFKA_TOPIC_PREFIX=settings.topic_prefix,
    )
    try:
        eventually(demo.is_ready, "the demo is ready")
        for name in KILLED:
            kill_and_restart(demo, name)
        recording.cut(demo)
        summary = demo.summary()
        values = {name: read_all(settings, name) for name in ("ticks", "features")}
        yield Drill(
            summary,
            demo.err.read_text(),
            [tick.decode(value) for value in values["ticks"]],
            values["features"],
            [prediction.decode(value) for value in read_all(settings, "predictions")],
            [outcome.decode(value) for value in read_all(settings, "outcomes")],
        )
    finally:
        demo.process.kill()
        demo.process.wait()


def kill_and_restart(demo: Demo, name: str) -> None:
    """Kill a child as the kernel would, see it named, and bring it back by the command."""
    os.kill(demo.pids()[name], signal.SIGKILL)
    eventually(lambda: "ended" in demo.state()["children"][name], f"{name} is seen dead")
    again = subprocess.run(
        [sys.executable, "-m", "local", "restart", name],
        cwd=ROOT,
        env={**os.environ, "RUN_DIR": str(demo.folder)},
        capture_output=True,
        text=True,
        timeout=patience(100),
    )
    if again.returncode and slowness() > 2.0 and "is not ready after" in again.stderr:
        # A busy machine needs longer than the command waits.
        eventually(lambda: demo.state()["children"][name] == "ready", f"{name} is back")
    else:
        assert again.returncode == 0, again.stderr + demo.err.read_text()


def read_all(settings: KafkaSettings, topic: str) -> list[bytes]:
    """Read a topic from its beginning to its present end."""
    reader = Reader(settings, [topic])
    left = sum(reader.ends().values()) - sum(reader.beginnings().values())
    values: list[bytes] = []
    eventually(
        lambda: values.extend(r.value for r in reader.poll(0.2)) or len(values) >= left, topic
    )
    reader.close()
    return values


def calm(recording: Recording) -> list[FeatureRow]:
    """The rows of a run in which nothing dies, without feed and id."""
    engine = FeatureEngine(Levels(default_seeds()))
    made = (engine.update(event) for event in events(read_frames(recording.path), "calm"))
    return [row for row in made if row is not None]


def without_feed(row: FeatureRow) -> bytes:
    """A row's bytes with what names the run taken out."""
    return re.sub(rb'"(row_id|feed)":"[^"]*",', b"", feature_row.encode(row))


def test_rows_of_a_run_with_killed_services_are_those_of_a_calm_run(
    drill: Drill, recording: Recording
) -> None:
    """Each row of the calm run is there, to the bit, and no other."""
    found = {without_feed(feature_row.decode(value)) for value in drill.rows}
    assert found == {without_feed(row) for row in calm(recording)}


def test_every_tick_of_the_recording_is_in_ticks_once(drill: Drill, recording: Recording) -> None:
    """The ingestor was not touched: as many ticks as were recorded."""
    recorded = [e for e in events(read_frames(recording.path), "calm") if isinstance(e, tick.Tick)]
    assert sum(isinstance(e, tick.Tick) for e in drill.ticks) == len(recorded)


def test_no_row_is_without_a_prediction(drill: Drill) -> None:
    """Whoever was dead, each row is scored, and repeats carry the same score."""
    rows = {feature_row.decode(value).row_id for value in drill.rows}
    scores = {(p.row_id, p.score) for p in drill.predictions}
    assert {row_id for row_id, _ in scores} == rows
    assert len(scores) == len(rows)


def test_no_matured_prediction_is_without_an_outcome(drill: Drill) -> None:
    """Each prediction whose 60 seconds are in the recording has its one outcome."""
    last = {p: max(e.time_us for e in drill.ticks if e.product_id == p) for p in PRODUCTS}
    ended = {
        p.prediction_id
        for p in drill.predictions
        if p.time_us // 1_000_000 + 61 <= last[p.product_id] // 1_000_000
    }
    found = {o.prediction_id: o for o in drill.outcomes}
    assert ended <= found.keys()
    assert all(
        len({repr(o) for o in drill.outcomes if o.prediction_id == i}) == 1
        for i in list(found)[:50]
    )


def test_a_dead_child_is_named_and_the_demo_goes_on(drill: Drill) -> None:
    """Each killed child is named; all are back, so the run is ok."""
    for name in KILLED:
        assert f"{name} ended with -9" in drill.said
    assert drill.summary["ok"], drill.summary["problems"]


def test_the_demo_begins_in_the_past_and_catches_up(kafka: KafkaSettings, tmp_path: Path) -> None:
    """Where the page has an hour of history, levels are earned and predictions are of now."""
    demo = start(tmp_path, KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap_servers)

    def newest() -> dict[str, Any]:
        found: dict[str, Any] = demo.ask("monitor", "/predictions/latest?product=BTC-USD")
        return found

    try:
        eventually(demo.is_ready, "the demo is ready")
        eventually(lambda: demo.ask("simulator-admin", "/status")["behind_seconds"] < 1, "sent")
        eventually(lambda: newest()["tau_status"] == "provisional", "the level is earned")
        assert newest()["coverage"] == 1.0
        asked = "/signals/history?product=BTC-USD&from=1700000000000000&step=60"
        history = demo.ask("monitor", asked)
        assert len(history["time"]) >= 60 and history["holes"] == []
        past_us = newest()["time_us"] - 1_800_000_000
        found = demo.ask("monitor", f"/predictions?product=BTC-USD&to={past_us}&limit=5")
        assert found["outcomes_complete"]
        labels = [each["outcome"]["label"] for each in found["predictions"]]
        assert len(labels) == 5 and None not in labels
    finally:
        demo.process.send_signal(signal.SIGINT)
        demo.process.wait(patience(60))


def test_ctrl_c_ends_all_within_five_seconds_and_leaves_no_process(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    """SIGINT ends the demo and all of its children."""
    demo, pause = start(tmp_path, KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap_servers), 0.1
    try:
        eventually(demo.is_ready, "the demo is ready")
        pids = demo.pids()
        assert set(pids) >= {*KILLED, "ingestor", "simulator"}
        demo.process.send_signal(signal.SIGINT)
        # Counted in pauses of ours, so that one of the whole machine is not the demo's.
        looks = 0
        while demo.process.poll() is None and looks * pause < 5:
            threading.Event().wait(pause)
            looks += 1
        assert demo.process.poll() is not None
    finally:
        demo.process.kill()
        demo.process.wait()
    assert not [name for name, pid in pids.items() if Path(f"/proc/{pid}").exists()]
