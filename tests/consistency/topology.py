"""What runs, read into one form: from docker-compose.yml, values.yaml and rendered objects."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

Yaml = Mapping[str, Any]
Health = frozenset[tuple[int, str]]

DEFAULT = re.compile(r"^\| `(\w+)` \| (?:`(.*?)`|[^|`]*) \|", re.MULTILINE)
IMAGE = re.compile(r"(?:.*/)?crypto-volatility/(stream|ml)(?::.*)?")
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::([-+])([^}]*))?\}")
TEMPLATE = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
URL = re.compile(r"https?://localhost:(\d+)(/[^\s'\"]*)")
UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
SECRET, FIELD = "(from a secret)", "(from the pod)"
WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "Job"}


@dataclass(frozen=True, slots=True)
class Workload:
    """One service of compose, or one workload of Kubernetes."""

    image: str
    """`stream`, `ml`, or an image of others with its version."""
    command: tuple[str, ...]
    env: Mapping[str, str]
    ports: frozenset[int]
    """Ports that somebody reaches it by."""
    health: Health
    """Port and path of each question for its health."""
    memory: int | None
    """Bytes it may have."""
    waits: bool = False
    """Whether it starts once the topics are there."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A difference that is meant, for one service or for all (`*`)."""

    service: str
    what: str
    """What differs: image, command, ports, …, a variable, or `secret` and a variable that the
    chart takes from a Secret; `*` is the rest of it."""
    why: str = field(compare=False)


def value(text: object, variables: Mapping[str, str]) -> str:
    """What compose makes of a text with the variables given."""

    def meant(found: re.Match[str]) -> str:
        given = variables.get(found[1], "")
        return {"-": given or found[3], "+": found[3] if given else ""}.get(found[2], given)

    said = str(text).lower() if isinstance(text, bool) else str(text)
    return VARIABLE.sub(meant, said).replace("$$", "$")


def defaults(page: str) -> dict[str, str]:
    """What each variable is while it is not set, by docs/settings.md."""
    return dict(DEFAULT.findall(page))


def size(text: object) -> int | None:
    """Read a size of memory, of compose (`256m`) or of Kubernetes (`256Mi`), into bytes."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)([A-Za-z]*)", str(text))
    if found is None or found[2] not in UNITS:
        raise ValueError(f"found the size {text!r}, expected a number and one of {sorted(UNITS)}")
    return int(found[1]) * UNITS[found[2]]


def image(name: str) -> str:
    """Name one of our two images by its target, any other by itself."""
    ours = IMAGE.fullmatch(name)
    return ours[1] if ours else name


# ---------------------------------------------------------------- compose
def variables(text: str) -> dict[str, str]:
    """Read a file of variables, such as replay.env."""
    lines = (line.strip() for line in text.splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def compose_workloads(file: Yaml, given: Mapping[str, str]) -> dict[str, Workload]:
    """Read every service of a compose file, with the variables given."""
    return {name: _service(service, given) for name, service in file["services"].items()}


def _service(service: Yaml, given: Mapping[str, str]) -> Workload:
    env = {name: value(said, given) for name, said in service.get("environment", {}).items()}
    test = " ".join(service.get("healthcheck", {}).get("test", []))
    asked = URL.findall(env.pop("HEALTH", "") or test)
    published = {int(value(port, given).split(":")[-1]) for port in service.get("ports", [])}
    return Workload(
        image=image(value(service["image"], given)),
        command=tuple(value(word, given) for word in service.get("command", [])),
        env=env,
        ports=frozenset(published | {int(port) for port, _ in asked}),
        health=frozenset((int(port), path) for port, path in asked),
        memory=size(service.get("mem_limit")),
        waits="topics" in service.get("depends_on", {}),
    )


# ---------------------------------------------------------------- the chart's values
def values_workloads(values: Yaml) -> dict[str, Workload]:
    """Read every component of a values.yaml, with those variables that it states itself."""
    return {name: _entry(entry, values) for name, entry in values["components"].items()}


def _entry(entry: Yaml, values: Yaml) -> Workload:
    ports: Mapping[str, int] = entry.get("ports", {})
    asked = [probe for probe in entry.get("probes", {}).values() if "path" in probe]
    ours = entry["image"]
    words = [*entry.get("command", []), *entry.get("args", [])]
    return Workload(
        image=ours if isinstance(ours, str) else f"{ours['repository']}:{ours['tag']}",
        command=tuple(resolved(str(word), values) for word in words),
        env={name: resolved(str(said), values) for name, said in entry.get("env", {}).items()}
        | dict.fromkeys(entry.get("secretEnv", {}), SECRET),
        ports=frozenset(ports.values()),
        health=frozenset((ports[it.get("port", "http")], str(it["path"])) for it in asked),
        memory=size(entry.get("resources", {}).get("limits", {}).get("memory")),
        waits="kafka" in entry.get("connects", []) and entry.get("waitForTopics", True),
    )


def resolved(text: str, values: Yaml) -> str:
    """Fill in the services' names and other values; what else is computed stays as it stands."""
    return TEMPLATE.sub(lambda found: _filled(found[0], found[1], values), text)


def _filled(whole: str, expression: str, values: Yaml) -> str:
    if name := re.fullmatch(r"\.at\.([\w-]+)", expression):
        return name[1]
    if path := re.search(r"\.Values\.([\w.]+)", expression):
        found: Any = values
        for step in path[1].split("."):
            found = found[step]
        return ",".join(found) if expression.startswith("join") else resolved(str(found), values)
    return whole


# ---------------------------------------------------------------- Kubernetes
def chart_workloads(objects: Iterable[Yaml], release: str) -> dict[str, Workload]:
    """Read every lasting workload, and the Job of the topics, by the name of its component."""
    found = [it for it in objects if it["kind"] in WORKLOADS and not hooked(it)]
    return {component(it): _pod(it["spec"]["template"]["spec"], release) for it in found}


def component(thing: Yaml) -> str:
    """The component that an object belongs to."""
    return str(thing["metadata"]["labels"]["app.kubernetes.io/component"])


def hooked(thing: Yaml) -> bool:
    """Whether Helm runs an object at a moment of its own, as a test."""
    return "helm.sh/hook" in (thing["metadata"].get("annotations") or {})


def bare(text: str, release: str) -> str:
    """Take release, namespace and cluster domain from the addresses in a text."""
    short = re.sub(r"\.[a-z0-9-]+\.svc(\.cluster\.local)?\b\.?", "", text)
    return re.sub(rf"\b{re.escape(release)}-(?=[a-z])", "", short)


def _pod(pod: Yaml, release: str) -> Workload:
    main = pod["containers"][0]
    ports = {port.get("name"): int(port["containerPort"]) for port in main.get("ports", [])}
    probes = [main[f"{kind}Probe"] for kind in PROBES if f"{kind}Probe" in main]
    words = [*main.get("command", []), *main.get("args", [])]
    limit = main.get("resources", {}).get("limits", {}).get("memory")
    return Workload(
        image=image(main["image"]),
        command=tuple(bare(str(word), release) for word in words),
        env={entry["name"]: _env(entry, release) for entry in main.get("env", [])},
        ports=frozenset(ports.values()),
        health=frozenset(_asked(probe["httpGet"], ports) for probe in probes if "httpGet" in probe),
        memory=size(limit),
        waits=any(_waits(first) for first in pod.get("initContainers", [])),
    )


PROBES = ("startup", "readiness", "liveness")


def _env(entry: Yaml, release: str) -> str:
    source = entry.get("valueFrom")
    if source is None:
        return bare(str(entry.get("value", "")), release)
    return SECRET if "secretKeyRef" in source else FIELD


def _asked(get: Yaml, ports: Mapping[Any, int]) -> tuple[int, str]:
    return ports.get(get["port"]) or int(get["port"]), str(get["path"])


def _waits(container: Yaml) -> bool:
    words = [*container.get("command", []), *container.get("args", [])]
    return words[:5] == ["python", "-m", "ingestor", "topics", "--wait"]


# ---------------------------------------------------------------- Prometheus
def scrape_jobs(config: Yaml, release: str) -> dict[str, frozenset[tuple[str, int]]]:
    """The services and ports that each job reads, however their addresses are found."""
    jobs: Iterable[Yaml] = config["scrape_configs"]
    return {
        job["job_name"]: frozenset(
            ("prometheus" if host == "localhost" else host, port)
            for host, port in _targets(job, release)
        )
        for job in jobs
    }


def _targets(job: Yaml, release: str) -> Iterator[tuple[str, int]]:
    for static in job.get("static_configs", []):
        for target in static["targets"]:
            host, port = bare(target, release).rsplit(":", 1)
            yield host, int(port)
    for named in job.get("dns_sd_configs", []):
        for name in named["names"]:
            yield bare(name, release).removesuffix("-pods"), int(named["port"])


# ---------------------------------------------------------------- both
def differences(
    compose: Mapping[str, Workload], chart: Mapping[str, Workload], unset: Mapping[str, str]
) -> dict[tuple[str, str], str]:
    """What differs, by service and by what it is; the text says both sides.

    A variable that one side does not set is what `unset` says of it, or empty.
    """
    alone = {
        (name, "service"): f"{name}: only {'compose' if name in compose else 'the chart'} has it"
        for name in compose.keys() ^ chart.keys()
    }
    return alone | {
        (name, what): f"{name}, {what}: compose has {ours!r}, the chart {theirs!r}"
        for name in sorted(compose.keys() & chart.keys())
        for what, ours, theirs in _unequal(compose[name], chart[name], unset)
    }


def _unequal(
    ours: Workload, theirs: Workload, unset: Mapping[str, str]
) -> Iterator[tuple[str, object, object]]:
    for what in ("image", "command", "memory", "waits"):
        if getattr(ours, what) != getattr(theirs, what):
            yield what, getattr(ours, what), getattr(theirs, what)
    for name in sorted(ours.env.keys() | theirs.env.keys()):
        pair = [side.env.get(name, unset.get(name, "")) for side in (ours, theirs)]
        if pair[0].lower() != pair[1].lower():
            yield f"secret {name}" if pair[1] == SECRET else name, pair[0], pair[1]
    for what in ("ports", "health"):
        asked, offered = getattr(ours, what), getattr(theirs, what)
        if not asked <= offered:
            yield what, sorted(asked), sorted(offered)


def unexplained(
    found: Mapping[tuple[str, str], str], allowed: Iterable[Allowed]
) -> tuple[list[str], list[Allowed]]:
    """The differences that nobody allowed, and what is allowed and does not differ."""
    listed = list(allowed)
    left = [said for key, said in found.items() if not any(_covers(it, *key) for it in listed)]
    return left, [it for it in listed if not any(_covers(it, *key) for key in found)]


def _covers(entry: Allowed, service: str, what: str) -> bool:
    return entry.service in ("*", service) and fnmatchcase(what, entry.what)
