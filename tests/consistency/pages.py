"""The pages of the repository, and what they may name."""

import re
from functools import cache
from itertools import chain
from pathlib import Path

from tests.consistency.modules import PACKAGES, ROOT, read


def pages() -> list[Path]:
    """Return README and everything in docs; the change log names what is gone, too."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


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
