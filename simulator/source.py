"""What the simulator plays: a recording, or a market from a seed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from ingestor.instant import SECOND_US, text_of
from ingestor.recordings.recording import Frame, RecordingError, describe, read_frames
from ingestor.tick import GENERATED_FEED
from simulator.config import SimulatorSettings
from simulator.faults import Faults
from simulator.market import frames
from simulator.volatility import kind_of


@dataclass(frozen=True, slots=True)
class FrameSource:
    """Something to play from the beginning, as often as wanted.

    ``name`` and ``sha256`` are the recording's, None for a generated market. ``open`` begins anew,
    at a wall clock (epoch microseconds). ``by_clock``: it begins in the past and is caught up.
    """

    label: str
    name: str | None
    sha256: str | None
    products: tuple[str, ...]
    open: Callable[[Faults, int], Iterator[Frame]]
    by_clock: bool = False

    def feed(self, began_us: int) -> str:
        """Return the id of one run: what is played, and when the run was made ready."""
        began = datetime.fromtimestamp(began_us / SECOND_US, UTC)
        return f"{self.label}@{began:%Y%m%dT%H%M%S.%fZ}"


def source_of(settings: SimulatorSettings, now_us: int) -> FrameSource:
    """Make ready what the settings name.

    Raises:
        RecordingError: the recording cannot be read, or ends after ``now_us``.
    """
    path = settings.recording
    if path is None:
        label = f"{GENERATED_FEED}{kind_of(settings.volatility)}{settings.seed}"
        past = settings.past_seconds > 0
        return FrameSource(label, None, None, settings.products, _generated(settings), past)
    recording = describe(path)
    if recording.last_us > now_us:
        raise RecordingError(
            f"{path.name}: found event times up to {text_of(recording.last_us)}, "
            f"expected none after this machine's clock, {text_of(now_us)}"
        )
    label = quote(path.name.split(".")[0], safe="")
    return FrameSource(
        label, recording.name, recording.sha256, recording.products, lambda *_: read_frames(path)
    )


def _generated(settings: SimulatorSettings) -> Callable[[Faults, int], Iterator[Frame]]:
    """Return what begins the market, by the settings or so many whole seconds ago."""

    def begin(faults: Faults, now_us: int) -> Iterator[Frame]:
        past = settings.past_seconds
        since_us = (now_us // SECOND_US - past) * SECOND_US
        return frames(
            settings.seed,
            settings.products,
            since_us if past else int(settings.start.timestamp() * SECOND_US),
            settings.length,
            past=past,
            volatility=settings.volatility,
            faults=faults,
        )

    return begin
