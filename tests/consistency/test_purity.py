"""A core computes: every module that is not listed as a shell is held to it."""

from pathlib import Path

import pytest

from tests.consistency.modules import PACKAGES, Module, graph, parsed, read
from tests.consistency.shells import CONVENTIONAL, LENT, OFFERED, PORTS, SHARED, SHELLS, WORLD

MODULES = read()
GRAPH = graph(MODULES)


def listed(module: str) -> str | None:
    """Return the entry that makes a module a shell: its name, its folder's, or a usual name."""
    package, _, inside = module.partition(".")
    steps = inside.split(".") if inside else []
    names = [".".join(steps[:count]) for count in range(1, len(steps) + 1)]
    found = [name for name in names if name in SHELLS.get(package, ())]
    usual = [name for name in steps[-1:] if name in CONVENTIONAL]
    return next(iter(found + usual), None)


CORES = sorted(name for name in MODULES if listed(name) is None)


def impurities(module: Module) -> set[str]:
    """Return what of the world a module imports or uses."""
    needed = [n for n in module.imported if not any(within(n, core) for core in SHARED)]
    ports = {port for port in PORTS for name in needed if within(name, port)}
    return ports | (module.used & WORLD)


def within(name: str, top: str) -> bool:
    """Say whether a dotted name is another, or inside it."""
    return name == top or name.startswith(f"{top}.")


def shells_of(module: str) -> set[str]:
    """Return the shells of ours that a module imports, but those lent to cores."""
    return {name for name in GRAPH[module] if listed(name) and name not in LENT}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import kafka.errors", {"kafka"}),
        ("def f():\n    from plumbing.logs import get_logger", {"plumbing"}),
        ("from urllib.parse import quote\nfrom datetime import datetime", set()),
        ("from datetime import datetime\nnow = datetime.now()", {"datetime.now"}),
        ("import os\nhome = os.environ['HOME']\nprint(home)", {"os.environ", "print()"}),
        ("import timeit, kafkaesque", set()),
    ],
)
def test_impurities_are_seen(source: str, found: set[str]) -> None:
    """Imports inside functions count too, and likeness of names does not."""
    assert impurities(parsed("made.up", Path("up.py"), source)) == found


@pytest.mark.parametrize("name", CORES)
def test_a_core_is_pure(name: str) -> None:
    """No Kafka, socket, clock, environment, log or framework, and no shell."""
    assert impurities(MODULES[name]) == set()
    assert shells_of(name) == set()


def test_what_cores_share_of_plumbing_is_a_core() -> None:
    """Pure, and no shell by its list."""
    assert set(CORES) >= SHARED


def test_a_shell_is_listed_because_it_is_one() -> None:
    """What is pure and imports no shell is a core: no entry outlives its reason."""
    reasons = {
        (name.partition(".")[0], listed(name))
        for name in MODULES
        if impurities(MODULES[name]) or shells_of(name)
    }
    needless = {
        f"{package}.{entry}"
        for package, entries in SHELLS.items()
        for entry in entries
        if (package, entry) not in reasons
    }
    assert needless == set()
    assert set(SHELLS) <= set(PACKAGES)


def test_shells_are_their_package_s_own() -> None:
    """Nobody imports another package's shells, but those offered; plumbing is there for all."""
    taken = {
        name
        for importer, imported in GRAPH.items()
        for name in imported
        if listed(name) and not within(importer, name.partition(".")[0])
    }
    assert {name for name in taken if not within(name, "plumbing")} == set(OFFERED)
    assert all(any(name in GRAPH[core] for core in CORES) for name in LENT)
