"""The jars of Apache Kafka: from Maven Central once, checked against the sums in the repository."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

VERSION: Final = "4.3.1"
# Resolved apart: in one go, what a logging binding pulls in would change Kafka's own versions.
# Without a binding the broker fails silently.
COORDINATES: Final = (
    f"org.apache.kafka:kafka_2.13:{VERSION}+org.apache.kafka:kafka-tools:{VERSION}",
    "org.slf4j:slf4j-simple:1.7.36",
)
SUMS: Final = Path(__file__).with_name("kafka-jars.sha256")
WAY_OUT: Final = (
    "Set KAFKA_BOOTSTRAP_SERVERS=host:port to use a running Kafka instead of the embedded one."
)

Resolve = Callable[[], Mapping[str, Path]]


class JarsError(Exception):
    """The jars are not to be had, or are not the ones expected."""


def cache_folder() -> Path:
    """Return the user's cache folder for this project (XDG_CACHE_HOME or ~/.cache)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "crypto-volatility"


def read_sums(text: str) -> dict[str, str]:
    """Read the format of sha256sum into file name → hex digest.

    >>> read_sums("ab12  kafka.jar")
    {'kafka.jar': 'ab12'}
    """
    pairs = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return {name.strip(): digest for digest, name in pairs}


def ensure_jars(
    cache: Path, sums: Mapping[str, str], resolve: Resolve, say: Callable[[str], None]
) -> Path:
    """Return the folder with exactly the jars of ``sums``, fetching what is missing.

    Raises:
        JarsError: Maven Central cannot be reached, or a jar has another digest than expected.
    """
    folder = cache / f"kafka-{VERSION}"
    missing = [name for name in sums if not (folder / name).is_file()]
    if missing:
        say(f"fetching Apache Kafka {VERSION} from Maven Central (55 MB, once) into {folder}")
        _fetch(folder, missing, resolve)
    for name, expected in sums.items():
        check(folder / name, expected)
    return folder


def check(jar: Path, expected: str) -> None:
    """Compare a jar with its sum; raises ``JarsError``."""
    found = hashlib.sha256(jar.read_bytes()).hexdigest()
    if found != expected:
        raise JarsError(f"{jar}: SHA-256 is {found}, expected {expected}; remove it and try again")


def _fetch(folder: Path, missing: list[str], resolve: Resolve) -> None:
    try:
        found = resolve()
    except Exception as exc:  # jgo lets errors of requests, of XML and of its own through
        raise JarsError(
            f"Apache Kafka {VERSION} could not be fetched from Maven Central: {exc}. {WAY_OUT}"
        ) from exc
    folder.mkdir(parents=True, exist_ok=True)
    for name in missing:
        if name not in found:
            raise JarsError(f"{name} is expected among the jars, but Maven gave none. {WAY_OUT}")
        _place(found[name], folder / name)


def _place(source: Path, target: Path) -> None:
    """Copy so that nobody ever sees half a file."""
    with (
        source.open("rb") as whole,
        tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as half,
    ):
        shutil.copyfileobj(whole, half)
    Path(half.name).replace(target)


def from_maven() -> dict[str, Path]:
    """Resolve the coordinates by jgo and download what Maven's own cache lacks."""
    import jgo  # takes long to import, and only a first run needs it

    artifacts = [a for coordinates in COORDINATES for a in jgo.resolve(coordinates)]
    return {artifact.filename: artifact.resolve() for artifact in artifacts}


def kafka_jars(say: Callable[[str], None]) -> Path:
    """Return the checked folder of jars in the user's cache; raises ``JarsError``."""
    return ensure_jars(cache_folder(), read_sums(SUMS.read_text()), from_maven, say)
