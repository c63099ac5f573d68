"""Fetching and checking the broker's jars, on made-up ones."""

import hashlib
from pathlib import Path

import pytest

from local.jars import SUMS, VERSION, JarsError, ensure_jars, read_sums

CONTENT = b"bytes of a jar"
GOOD = {"kafka.jar": hashlib.sha256(CONTENT).hexdigest()}


class _Maven:
    """Gives one jar and counts how often it was asked."""

    def __init__(self, folder: Path, content: bytes = CONTENT) -> None:
        self.asked = 0
        self.jar = folder / "from-maven.jar"
        self.jar.write_bytes(content)

    def __call__(self) -> dict[str, Path]:
        self.asked += 1
        return {"kafka.jar": self.jar}


def _unreachable() -> dict[str, Path]:
    raise ConnectionError("repo.maven.apache.org cannot be resolved")


def test_jars_are_fetched_once(tmp_path: Path) -> None:
    """The first call fetches and says so; the second finds them."""
    maven, said = _Maven(tmp_path), list[str]()
    for _ in range(2):
        folder = ensure_jars(tmp_path / "cache", GOOD, maven, said.append)
    assert (folder / "kafka.jar").read_bytes() == CONTENT
    assert maven.asked == 1 and len(said) == 1 and "Maven Central" in said[0]


def test_a_changed_jar_is_refused(tmp_path: Path) -> None:
    """A jar with other bytes than the repository expects is named with both digests."""
    with pytest.raises(JarsError, match=f"kafka.jar: SHA-256 is .* expected {GOOD['kafka.jar']}"):
        ensure_jars(tmp_path / "cache", GOOD, _Maven(tmp_path, b"other"), print)


def test_without_maven_central_the_way_out_is_named(tmp_path: Path) -> None:
    """The message says what failed and which variable gives another broker."""
    with pytest.raises(JarsError, match=r"Maven Central.*KAFKA_BOOTSTRAP_SERVERS"):
        ensure_jars(tmp_path / "cache", GOOD, _unreachable, print)


def test_every_jar_of_the_broker_has_a_sum() -> None:
    """The list in the repository names Kafka itself in the version used, by SHA-256."""
    sums = read_sums(SUMS.read_text())
    assert f"kafka_2.13-{VERSION}.jar" in sums and f"kafka-clients-{VERSION}.jar" in sums
    assert all(len(digest) == 64 for digest in sums.values())
