"""What becomes of each frame: events, a kind that is ignored, or a dead letter with its reason."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from ingestor import dead_letter, ledger, tick
from ingestor.intake import Intake, Opened, Received
from ingestor.metrics import DEAD_LETTER_REASONS, Metrics
from ingestor.recordings.recording import Frame
from plumbing.kafka import Outgoing

DELAY_US = 40_000


@dataclass(slots=True)
class Fates:
    """Counts frames and records; ``reasons`` are letters by the first two words of theirs."""

    frames: int = 0
    events: int = 0
    letters: int = 0
    lines: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def take(self, record: Outgoing) -> None:
        """Count a record, and read it as its readers do.

        Raises:
            msgspec.DecodeError: no reader could use it.
        """
        if record.topic == "ticks":
            tick.decode(record.value)
            self.events += 1
        elif record.topic == "dead-letters":
            reason = dead_letter.decode(record.value).reason
            assert reason, record
            self.letters += 1
            self.reasons[" ".join(reason.split()[:2])[:60]] += 1
        else:
            ledger.decode(record.value)
            self.lines += 1


class Refused(AssertionError):
    """A frame stopped the ingestor's reading, or brought a record that nobody can read."""


def fates_of(made: Iterable[Frame], products: tuple[str, ...]) -> Fates:
    """Give each frame to one intake; every frame is counted by its kind.

    Raises:
        Refused: names the frame.
    """
    registry, fates = CollectorRegistry(), Fates()
    intake = Intake(products, Metrics(registry, products))
    for record in intake.records(Opened("fuzz", 0)):
        fates.take(record)
    for frame in made:
        fates.frames += 1
        try:
            for record in intake.records(Received(frame.data, frame.time_us + DELAY_US)):
                fates.take(record)
        except Exception as exc:
            raise Refused(f"frame {fates.frames}: {exc!r}: {frame.data[:2000]!r}") from exc
    for record in intake.close():
        fates.take(record)
    assert counted(registry, "ingestor_frames_total") == fates.frames
    told = sum(
        registry.get_sample_value("ingestor_dead_letters_total", {"reason": reason}) or 0
        for reason in DEAD_LETTER_REASONS
    )
    assert told == fates.letters
    return fates


def counted(registry: CollectorRegistry, name: str) -> float:
    """Return a counter's sum over its labels."""
    return sum(s.value for m in registry.collect() for s in m.samples if s.name == name)
