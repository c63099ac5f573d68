"""The demo: broker and children, readiness, the run, the end."""

import signal
import time
import uuid
from collections.abc import Collection, Mapping
from typing import Any, Final

from kafka.errors import KafkaError  # type: ignore[import-untyped]

from ingestor.topics import TOPICS
from local.broker import Broker
from local.config import DemoSettings
from local.jars import kafka_jars
from local.plan import USUAL_PORTS, Plan, Program, choose_ports
from local.ports import free_port
from local.processes import Supervisor, wait_until
from local.report import addresses, findings, reason_of, replay
from local.spawn import send
from local.state import NoDemoError, claim, clear_state, read_state, wished_restarts, write_state
from local.summary import Tally, summarize
from local.table import Display, View
from local.topics import Topics, Watch
from local.web import json_of
from plumbing.kafka import KafkaSettings, ensure_topics, remove_topics
from plumbing.stop import Stop

READY_SECONDS: Final = 90.0
DRAIN_SECONDS: Final = 30.0
INGESTOR_SECONDS: Final = 20.0
BROKER_SECONDS: Final = 35.0
CYCLE_SECONDS: Final = 0.25
NEEDED_FIRST: Final = ("featurizer", "scorer", "monitor")
"""The simulator's clock starts with the ingestor: who must miss nothing comes before it."""


class DemoError(Exception):
    """The demo cannot begin."""


class Demo:
    """One run; ``outside`` is the broker to use instead of an embedded one."""

    def __init__(
        self, settings: DemoSettings, outside: KafkaSettings | None, display: Display, stop: Stop
    ) -> None:
        self._settings, self._outside = settings, outside
        self._display, self._stop = display, stop
        self._folder = settings.run_dir.resolve()
        self._supervisor = Supervisor(self._folder, display.say)
        self._began = time.monotonic()
        self._plan: Plan
        self._made_up: KafkaSettings | None = None
        self._topics: Topics
        self._watch: Watch
        self._replay: Mapping[str, Any] = {}
        self._trouble = ""
        self._ready_at: float | None = None
        self._first_prediction: float | None = None

    def run(self) -> dict[str, Any] | None:
        """Run until the duration, the recording or a signal ends it and return the summary.

        Without a duration, and after a signal, there is none.

        Raises:
            DemoError, FolderError, JarsError, BrokerError: it cannot begin.
        """
        self._claim_folder()
        try:
            self._open()
            self._stop.install()  # before that, a signal breaks off at once
            self._cycle_until_over()
            return None if self._stop.requested else self._finish()
        finally:
            self._supervisor.end_all(last="broker")
            clear_state(self._folder)
            self._tidy()

    # -------------------------------------------------------------------- open
    def _claim_folder(self) -> None:
        try:
            running = read_state(self._folder)["pid"]
        except NoDemoError:
            claim(self._folder)
            write_state(self._folder, {"children": {}})
            return
        raise DemoError(f"a demo runs in {self._folder} already: process {running}")

    def _open(self) -> None:
        """Start all but the ingestor; what needs no broker starts while the broker does."""
        embedded = self._outside is None
        if embedded:
            kafka_jars(self._display.say)  # before anything runs: this is what may be missing
        names = {n: p for n, p in USUAL_PORTS.items() if embedded or n != "broker"}
        ports = choose_ports(names, free_port, self._display.say)
        self._plan = Plan(self._settings, ports, self._kafka(ports))
        for program in self._plan.programs(kafka=False):
            self._supervisor.start(program)
        if embedded:
            self._start_broker(ports["broker"])
        ensure_topics(self._plan.kafka, TOPICS)
        for program in self._plan.programs(kafka=True):
            self._supervisor.start(program)
        self._topics = Topics(self._plan.kafka, lambda: self._stop.requested)
        self._watch = Watch(self._topics)

    def _kafka(self, ports: Mapping[str, int]) -> KafkaSettings:
        """Return the embedded broker, or the outside one under a prefix of this run's own."""
        if self._outside is None:
            own = f"127.0.0.1:{ports['broker']}"
            return KafkaSettings(bootstrap_servers=own, topic_prefix="")
        if self._outside.topic_prefix:
            self._display.say(f"the topics that begin with {self._outside.topic_prefix} stay")
            return self._outside
        prefix = f"demo-{uuid.uuid4().hex[:8]}-"
        self._display.say(f"topics on {self._outside.bootstrap_servers} begin with {prefix}")
        self._made_up = self._outside.model_copy(update={"topic_prefix": prefix})
        return self._made_up

    def _start_broker(self, port: int) -> None:
        broker = Broker(self._folder / "broker", port=port, say=self._display.say)
        command = broker.prepare()
        child = self._supervisor.start(Program("broker", command, {}, port, ready=()))
        # A recording that cannot be read ends it at once.
        broker.await_answer(child.process, child.log, meanwhile=self._ask_simulator)

    # ------------------------------------------------------------------- cycle
    def _cycle_until_over(self) -> None:
        while not self._over():
            self._supervisor.look()
            self._ask_simulator()
            self._ask_ingestor()
            self._feed()
            self._note_readiness()
            self._note_first_prediction()
            self._obey()
            self._show()
            self._stop.wait(CYCLE_SECONDS)

    def _over(self) -> bool:
        duration = self._settings.duration
        if self._stop.requested:
            return True
        if duration is None:
            return False
        elapsed = self._ready_at is not None and time.monotonic() - self._ready_at >= duration
        return elapsed or self._replay.get("state") == "ended"

    def _ask_simulator(self) -> None:
        child = self._supervisor.children.get("simulator")
        if child is not None and not child.alive and not self._replay:
            raise DemoError(reason_of(child.log) or f"the simulator {child.state}: {child.log}")
        if child is not None:
            answer = json_of(self._plan.ports["simulator-admin"], "/status")
            self._replay = answer or self._replay

    def _ask_ingestor(self) -> None:
        """Learn whether the feed is reached; what was said last stands while it does not answer."""
        if "ingestor" in self._supervisor.children:
            told = json_of(self._plan.ports["ingestor"], "/health", statuses=(200, 503))
            self._trouble = self._trouble if told is None else told.get("feed_trouble") or ""

    def _feed(self) -> None:
        """Start the ingestor once the products are known and nobody would miss a tick."""
        if "ingestor" in self._supervisor.children:
            return
        products = self._settings.products
        if self._settings.feed == "simulator":
            products = ",".join(self._replay.get("products", ()))
        late = time.monotonic() - self._began > READY_SECONDS
        if products and (late or self._supervisor.ready(*NEEDED_FIRST)):
            self._supervisor.start(self._plan.ingestor(products))

    def _note_readiness(self) -> None:
        if self._ready_at is not None:
            return
        now = time.monotonic()
        whole = "ingestor" in self._supervisor.children and self._supervisor.ready()
        if whole:
            self._display.say(f"ready after {now - self._began:.1f} s")
        elif now - self._began > READY_SECONDS:
            missing = ", ".join(self._supervisor.missing())
            self._display.say(f"not ready after {READY_SECONDS:.0f} s: {missing}; going on")
        else:
            return
        self._ready_at = now
        self._display.say(addresses(self._plan))

    def _note_first_prediction(self) -> None:
        if self._first_prediction is None and self._watch.counts["predictions"]:
            self._first_prediction = round(time.monotonic() - self._began, 1)
            self._display.say(f"first prediction after {self._first_prediction} s")

    def _obey(self) -> None:
        for name, wish in wished_restarts(self._folder).items():
            if name in self._supervisor.children:
                self._supervisor.restart(name)
            wish.unlink(missing_ok=True)
        states = {name: child.state for name, child in self._supervisor.children.items()}
        write_state(
            self._folder,
            {
                "children": states,
                "ports": dict(self._plan.ports),
                "kafka": self._plan.kafka_env(),
                "ready": self._ready_at is not None,
            },
        )

    def _show(self) -> None:
        ready = self._ready_at
        products = self._replay.get("products") or self._settings.products.split(",")
        view = View(
            seconds=None if ready is None else time.monotonic() - ready,
            states={name: child.state for name, child in self._supervisor.children.items()},
            ports=self._plan.ports,
            counts=self._watch.counts,
            rates=self._watch.rates,
            replay=f"FEED: {self._trouble}" if self._trouble else replay(self._replay),
            score=lambda: self._scores(products),
        )
        self._display.show(view)

    def _scores(self, products: list[str]) -> dict[str, float | None]:
        port = self._plan.ports["monitor"]
        answers = {p: json_of(port, f"/predictions/latest?product={p}") for p in products}
        return {p: answer.get("score") if answer else None for p, answer in answers.items()}

    # --------------------------------------------------------------------- end
    def _finish(self) -> dict[str, Any] | None:
        """Close the feed, let the rest come through, and give the summary."""
        seconds = time.monotonic() - (self._ready_at or self._began)
        missing = set(self._supervisor.missing())
        self._ask_ingestor()
        self._display.say("the feed is closed; what is under way comes through")
        self._close_feed()
        self._ask_simulator()
        drained, tally = self._collect(missing)
        missing |= {name for name in self._supervisor.missing() if name != "ingestor"}
        if self._stop.requested:
            return None
        facts = {
            "duration_seconds": round(seconds, 1),
            "drained": drained,
            "seconds_to_first_prediction": self._first_prediction,
            "feed": self._settings.feed,
            "speed": self._settings.speed,
        }
        facts |= findings(self._folder, self._replay)
        cut_off = self._trouble and self._replay.get("state") != "ended"
        troubles = [f"the feed cannot be reached: {self._trouble}"] if cut_off else []
        return summarize(tally, sorted(missing), facts, troubles)

    def _close_feed(self) -> None:
        """Let the ingestor publish what it holds, and end it."""
        child = self._supervisor.children.get("ingestor")
        if child is not None:
            send(child.process, signal.SIGTERM)
            wait_until(lambda: self._stop.requested or not child.alive, INGESTOR_SECONDS)
            self._supervisor.end("ingestor", 0.0)

    def _tidy(self) -> None:
        """Remove the topics whose prefix this run made up, or say how."""
        if self._made_up is None:
            return
        named = f"the topics that begin with {self._made_up.topic_prefix}"
        try:
            remove_topics(self._made_up, TOPICS)
            self._display.say(f"{named} are removed")
        except (KafkaError, OSError) as exc:
            self._display.say(
                f"{named} stay on {self._made_up.bootstrap_servers} ({exc!r}); remove them with"
                f" kafka-topics.sh --delete --topic '{self._made_up.topic_prefix}.*'"
            )

    def _collect(self, missing: Collection[str]) -> tuple[bool, Tally]:
        if "broker" in missing or not self._watch.stop(BROKER_SECONDS):
            return False, Tally()
        try:
            drained = self._topics.drain(DRAIN_SECONDS, without=missing)
            tally = self._topics.tally()
            self._topics.close()
        except KafkaError as exc:
            self._display.say(f"the topics could not be read back: {exc!r}")
            return False, Tally()
        return drained, tally
