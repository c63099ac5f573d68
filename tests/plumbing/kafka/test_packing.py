"""Dictionaries are made of what passes, kept before they are used, and replaced where it pays."""

from collections.abc import Callable

from structlog.testing import capture_logs

from plumbing.kafka.dictionary import PACKED, Unpacker
from plumbing.kafka.packing import FIRST, GROWTH, LONGEST, Packer, Training, better
from tests.plumbing.kafka.rows import rows_of

HEADERS = {"received_us": "1790000000000000"}


class Desk:
    """A packer of one topic that trains at once, with what it keeps."""

    def __init__(self, found: dict[str, bytes | None] | None = None) -> None:
        self.kept: dict[int, bytes] = {}
        self.away = False
        topics: dict[str, bytes | None] = {"features": None} if found is None else found
        self.packer = Packer(topics, self.put, lambda work: work())

    def put(self, topic: str, data: bytes, number: int) -> None:
        if self.away:
            raise OSError("away")
        self.kept[number] = data

    def pack(self, rows: list[bytes], topic: str = "features") -> list[bytes]:
        """Pack rows; each must come back from what is kept by then."""
        made = []
        for row in rows:
            value, headers = self.packer.pack(topic, row, HEADERS)
            back, packed = Unpacker(self.kept.get).unpack(value)
            assert (back, dict(headers) | packed) == (row, HEADERS)
            made.append(value)
        return made


def packed(values: list[bytes]) -> int:
    """How many of them are."""
    return sum(value.startswith(PACKED) for value in values)


def test_the_first_records_are_plain_and_those_after_them_packed() -> None:
    """From the record on that completes the first samples, value and headers in one."""
    rows = rows_of(3 * FIRST)
    made = Desk().pack(rows)
    assert made[: FIRST - 1] == rows[: FIRST - 1]
    assert packed(made[FIRST - 1 :]) == 2 * FIRST + 1


def test_a_topic_goes_on_with_the_dictionary_that_it_has() -> None:
    """The next process packs its first record by it."""
    first = Desk()
    first.pack(rows_of(FIRST))
    [(number, data)] = first.kept.items()
    desk = Desk({"features": data})
    desk.kept[number] = data
    assert packed(desk.pack(rows_of(5, seed=8))) == 5


def test_other_topics_are_left_alone() -> None:
    """One that may not be packed, whatever it holds."""
    desk = Desk()
    assert packed(desk.pack(rows_of(3 * FIRST), "minutes")) == 0 and not desk.kept


def test_what_cannot_be_kept_is_not_used() -> None:
    """Records stay plain until a dictionary stands where readers find it."""
    desk = Desk()
    desk.away = True
    with capture_logs() as logs:
        assert packed(desk.pack(rows_of(2 * FIRST))) == 0
    assert [line["event"] for line in logs] == ["dictionary.not_kept"]
    desk.away = False
    assert packed(desk.pack(rows_of(FIRST * GROWTH))) > 0


def test_a_value_that_looks_packed_goes_as_it_is() -> None:
    """So does a null."""
    desk = Desk()
    for value in (PACKED + b"x", b""):
        assert desk.packer.pack("features", value, HEADERS) == (value, HEADERS)


def test_another_dictionary_is_made_where_records_have_changed() -> None:
    """What is longer in each record, as a feed's name, is learned at the next trial."""
    desk = Desk()
    desk.pack(rows_of(FIRST))
    changed = desk.pack(rows_of(200, seed=9, feed="another-market@2026-11-28"))
    assert len(desk.kept) > 1
    assert len(changed[-1]) < 0.9 * len(changed[0])


def test_one_dictionary_is_made_at_a_time() -> None:
    """While a broker is slow to keep one, records go on and no other is tried."""
    waiting: list[Callable[[], None]] = []
    packer, rows = Packer({"features": None}, lambda *_: None, waiting.append), rows_of(400)
    for row in rows[:300]:
        assert packer.pack("features", row, HEADERS) == (row, HEADERS)
    assert len(waiting) == 1
    waiting[0]()
    assert packer.pack("features", rows[300], HEADERS)[0].startswith(PACKED)
    for row in rows[301:]:
        packer.pack("features", row, HEADERS)
    assert len(waiting) == 2


def test_of_equal_records_no_other_dictionary_is_made() -> None:
    """It would take room and save nothing."""
    data = _kept(lambda desk: desk.pack(rows_of(256)))[-1]
    assert better(rows_of(160, seed=10), data) is None


def test_trials_become_rare() -> None:
    """After 24 records, twice as many each time, 12,288 at most."""
    training, due = Training(None), []
    for at in range(1, 60_000):
        if training.due(b""):
            due.append(at)
    gaps = [later - earlier for earlier, later in zip([0, *due], due, strict=False)]
    assert gaps[:10] == [FIRST * GROWTH**n for n in range(10)]
    assert gaps[10:] and set(gaps[10:]) == {LONGEST}


def _kept(work: Callable[[Desk], object]) -> list[bytes]:
    desk = Desk()
    work(desk)
    return [*desk.kept.values()]
