"""Packing what is published, by dictionaries that are made of what was published before."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from plumbing.kafka.dictionary import Dictionary, joined, packable, trained
from plumbing.logs import get_logger

SAMPLES: Final = 160
"""Of the latest hundred or two a dictionary is better than of five hundred."""
FIRST: Final = 24
"""Records before the first dictionary: of 24 it is a twentieth worse than of 160."""
LONGEST: Final = 12_288
"""Records from one trial to the next at most: an hour of one product."""
GROWTH: Final = 2
"""A feed's rows change for an hour after its start, as one window after the other is known."""
WORTH: Final = 0.95
"""Of the bytes of before: a dictionary that saves less is not worth its own."""

Put = Callable[[str, bytes, int], object]
"""Keeps a dictionary of a topic under its number; when it returns, every reader can find it."""
_NO_HEADERS: Final[Mapping[str, str]] = {}


def better(samples: Sequence[bytes], current: bytes | None) -> Dictionary | None:
    """Return a dictionary of the samples, None unless it packs the last quarter of them better."""
    cut = len(samples) - len(samples) // 4
    made = trained(samples[:cut])
    if made is None or current is None:
        return made
    before = Dictionary(current)  # the one in use belongs to another thread
    size, usual = (sum(len(one.pack(each)) for each in samples[cut:]) for one in (made, before))
    return made if size < WORTH * usual else None


class Training:
    """The dictionary of one topic, its latest records, and when another one is tried."""

    def __init__(self, dictionary: Dictionary | None) -> None:
        self.dictionary = dictionary
        self.samples: deque[bytes] = deque(maxlen=SAMPLES)
        self.under_way = False
        self._left = self._interval = FIRST if dictionary is None else FIRST * GROWTH

    def due(self, data: bytes) -> bool:
        """Take a record; say whether a dictionary is to be tried now."""
        self.samples.append(data)
        self._left -= 1
        if self._left:
            return False
        self._left = self._interval = min(LONGEST, self._interval * GROWTH)
        return True


def in_thread(work: Callable[[], None]) -> None:
    """Do it beside the sending: a training takes some tens of milliseconds."""
    threading.Thread(target=work, name="dictionary", daemon=True).start()


class Packer:
    """Packs records of the topics that may be packed; may be used from several threads.

    ``found`` has these topics, with the dictionary that each has already. One that is made here
    is used once ``put`` has kept it, so no record names a dictionary that a reader cannot find.
    """

    def __init__(
        self,
        found: Mapping[str, bytes | None],
        put: Put,
        begin: Callable[[Callable[[], None]], None] = in_thread,
    ) -> None:
        self._put, self._begin, self._lock = put, begin, threading.Lock()
        self._trainings = {
            topic: Training(None if data is None else Dictionary(data))
            for topic, data in found.items()
        }

    def pack(
        self, topic: str, value: bytes, headers: Mapping[str, str]
    ) -> tuple[bytes, Mapping[str, str]]:
        """Return value and headers to be sent: packed into one, or as they are."""
        training = self._trainings.get(topic)
        if training is None or not packable(value):
            return value, headers
        data = joined(value, headers)
        with self._lock:
            if training.due(data) and not training.under_way:
                training.under_way, samples = True, [*training.samples]
                self._begin(lambda: self._train(topic, training, samples))
            if training.dictionary is None:
                return value, headers
            return training.dictionary.pack(data), _NO_HEADERS

    def _train(self, topic: str, training: Training, samples: Sequence[bytes]) -> None:
        """Make a dictionary, keep it and use it; where that fails, all goes on as it was."""
        used = training.dictionary
        try:
            made = better(samples, None if used is None else used.data)
            if made is not None:
                self._put(topic, made.data, made.number)
                training.dictionary = made
                get_logger().info("dictionary.made", topic=topic, number=made.number)
        except Exception as exc:
            get_logger().warning("dictionary.not_kept", topic=topic, reason=repr(exc))
        finally:
            training.under_way = False
