"""The pages are true: each command, path, link and setting that they name exists."""

import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import pytest
import yaml

from tests.consistency.modules import PACKAGES, ROOT, read
from tests.observability.boards import tables

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
"""README and everything in docs; the change log names what is gone, too."""
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
PREFIXES = r"INGESTOR|FEATURIZER|SCORER|ADAPTER|MONITOR|DRIFT|TRAINING|SIMULATOR|KAFKA"
TOPS = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}


def code(page: Path) -> str:
    """Return the code of a page, in blocks and in lines, without its words."""
    text = page.read_text()
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    commands = [re.sub(r"\s#.*", "", line) for block in blocks for line in block.splitlines()]
    return "\n".join([*commands, *re.findall(r"`([^`\n]+)`", rest)])


def anchors(page: Path) -> set[str]:
    """Return the headings of a page as links name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@cache
def targets() -> frozenset[str]:
    """Return the targets of the Makefile and of all that it includes."""
    files = [ROOT / "Makefile", *ROOT.glob("*.mk"), *ROOT.glob("make/*.mk")]
    text = "\n".join(path.read_text() for path in files)
    return frozenset(re.findall(r"^([a-z][a-z0-9-]*):(?!=)", text, re.MULTILINE))


@cache
def known_settings() -> frozenset[str]:
    """Return the variables that our services read, and those that containers are given."""
    read = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.M)
    given = (ROOT / "docker-compose.yml").read_text()
    given += "".join(p.read_text() for p in (ROOT / "manifests" / "rendered").glob("*.yaml"))
    return frozenset(read) | frozenset(re.findall(r"\b[A-Z][A-Z0-9_]+\b", given))


def imported(package: str) -> set[str]:
    """Return which other packages of ours the modules of one import."""
    found = chain.from_iterable(module.imported for module in read([package]).values())
    return ({name.partition(".")[0] for name in found} & set(PACKAGES)) - {package}


def found(pattern: str, page: Path) -> set[str]:
    """Return what the code of a page has of a pattern's first group."""
    return set(re.findall(pattern, code(page), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_target_exists(page: Path) -> None:
    """What stands after ``make`` is a target of the Makefile or of what it includes."""
    said = found(r"(?:^|[\s`=])make ((?:[a-z][a-z0-9-]*)(?: [a-z][a-z0-9-]*)*)", page)
    assert {word for words in said for word in words.split()} - targets() == set()


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_exists(page: Path) -> None:
    """What stands after ``python -m`` is a module; of ours, it knows the command after it."""
    for module, command in set(re.findall(r"python -m ([a-z_.]+)(?: ([a-z][a-z-]*))?", code(page))):
        assert find_spec(module) is not None, module
        top = module.split(".")[0]
        if command and (ROOT / top).is_dir() and top != "tests":
            assert command in commands(top), f"python -m {module} {command}"


def commands(package: str) -> set[str]:
    """Return the commands that the modules of a package register."""
    source = "".join(path.read_text() for path in sorted((ROOT / package).rglob("*.py")))
    return set(re.findall(r'add_parser\(\s*"([a-z-]+)"', source))


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_path_exists(page: Path) -> None:
    """A path that begins with a folder of the repository leads to a file, a folder or several."""
    for path in found(r"(?:^|[\s`(:=])((?:[\w.-]+/)+[\w.*{},-]*)", page):
        if path.split("/")[0] in TOPS:
            for each in alternatives(path.rstrip(".,:")):
                assert list(ROOT.glob(each)), path


def alternatives(path: str) -> Iterator[str]:
    """Write ``a/{b,c}`` out, as a shell does."""
    group = re.search(r"\{([^{}]*)\}", path)
    if group is None:
        yield path.rstrip("/")
        return
    for each in group[1].split(","):
        yield from alternatives(path[: group.start()] + each + path[group.end() :])


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link to another page, or to a heading, finds it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_setting_exists(page: Path) -> None:
    """A variable with the prefix of a service is one that is read, or given to a container."""
    named = found(rf"\b((?:{PREFIXES})_[A-Z][A-Z_]*[A-Z])\b", page)
    assert named - known_settings() == set()


def test_decisions_are_numbered_dated_and_have_a_status() -> None:
    """ADRs go from 1 without a hole; each says when it was taken and whether it stands."""
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(page.name[:4]) for page in decisions] == list(range(1, len(decisions) + 1))
    for number, page in enumerate(decisions, start=1):
        head = page.read_text()
        assert re.match(
            rf"# {number}\. .+\n\n- Date: \d{{4}}-\d\d-\d\d\n- Status: \w+.*\n\n", head
        ), page.name


def architecture() -> dict[str, list[str]]:
    """Return the table of packages: by name job, core, shell, imports."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| `(\w+)/` \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    return {name: list(cells) for name, *cells in rows}


def test_the_table_of_packages_is_that_of_the_code() -> None:
    """Each package stands in it with what it imports, and with modules that it has."""
    table = architecture()
    assert sorted(table) == list(PACKAGES)
    for name, (_, core, shell, imports) in table.items():
        assert set(re.findall(r"`(\w+)`", imports)) == imported(name), name
        for module in re.findall(r"`([\w.]+)`", core + shell):
            assert find_spec(f"{name}.{module}") is not None, f"{name}.{module}"


def test_the_changelog_knows_what_there_is() -> None:
    """The new names of what moved are modules, classes of them, and metrics."""
    metrics = {row.name for table in tables() for row in table.table().values()}
    unreleased = (ROOT / "CHANGELOG.md").read_text().partition("## 0.1.0")[0]
    for name in re.findall(r"^\| `[\w.]+` \| `([\w.]+)` \|$", unreleased, re.MULTILINE):
        module, _, last = name.rpartition(".")
        if last.isupper():
            assert last in known_settings(), name
        elif last[0].isupper():
            path = ROOT / (module.replace(".", "/") + ".py")
            assert re.search(rf"^class {last}\b", path.read_text(), re.MULTILINE), name
        else:
            assert name in metrics or find_spec(name) is not None, name


def test_ports_of_the_demo_are_those_of_compose() -> None:
    """README asks on ports that compose publishes too."""
    asked = set(re.findall(r"localhost:(\d+)/", (ROOT / "README.md").read_text()))
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    ports = [str(port) for each in compose["services"].values() for port in each.get("ports", [])]
    published = {number for port in ports for number in re.findall(r"\d+", port)}
    assert asked - published - {"30800"} == set()
