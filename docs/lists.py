"""Write the lists that other files repeat of the code; ``make docs`` runs it.

The names of variables and components in the chart's schema, so that it can refuse a mistyped one,
and the jobs of ``grafana/prometheus.yml``. A test compares the files with what this gives.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import yaml

from local.services import SERVICES, Service

ROOT = Path(__file__).resolve().parents[1]
CHART = Path("charts") / "crypto-volatility"
JOB = """  - job_name: {name}
    static_configs: [{{targets: ["{name}:{port}"]}}]
"""


def variables() -> list[str]:
    """Return the settings of ours, by the page of settings."""
    page = (ROOT / "docs" / "settings.md").read_text()
    return sorted(set(re.findall(r"^\| `([A-Z_]+)` ", page, re.MULTILINE)))


def schema(text: str) -> str:
    """Return the schema of the chart's values with the names that exist now."""
    components = yaml.safe_load((ROOT / CHART / "values.yaml").read_text())["components"]
    foreign = re.compile(json.loads(text)["definitions"]["variable"]["anyOf"][1]["pattern"])
    ours = [name for name in variables() if not foreign.search(name)]
    text = _list(text, r'"variable": \{.*?"enum": \[\n', _lines(map(json.dumps, ours), 12))
    text = re.sub(r'"\^\(kafka\|[^)]*\)', f'"^({"|".join(["kafka", *components])})', text)
    peers = (f'"{name}": {_PEERS}' for name in components)
    text = _list(text, r'"ingressFrom": \{.*?"properties": \{\n', _lines(peers, 12))
    entries = (f'"{name}": {_reference(entry)}' for name, entry in components.items())
    text = _list(text, r'\n    "components": \{.*?"properties": \{\n', _lines(entries, 8))
    required = r'\n    "components": \{.*?"required": \[\n'
    return _list(text, required, _lines(map(json.dumps, components), 8))


_PEERS = '{"type": "array", "items": {"$ref": "#/definitions/kubernetes"}}'


def _reference(entry: dict[str, object]) -> str:
    """Return what a component has to be: what is stopped before it is replaced runs once."""
    kind = "single" if entry.get("strategy") == "Recreate" else "component"
    return f'{{"$ref": "#/definitions/{kind}"}}'


def _lines(items: Iterable[str], indent: int) -> str:
    return ",\n".join(" " * indent + item for item in items) + "\n"


def _list(text: str, start: str, lines: str) -> str:
    """Replace the lines between a start and the bracket that ends them."""
    found = re.search(start, text, re.DOTALL)
    if found is None:
        raise ValueError(f"found no {start} in the schema, expected it")
    end = re.compile(r"^ *[\]}],?$", re.MULTILINE).search(text, found.end())
    assert end is not None
    return text[: found.end()] + lines + text[end.start() :]


def jobs(text: str) -> str:
    """Return the configuration of Prometheus with a job for each service that always runs."""
    head, rest = text.split("scrape_configs:\n")
    _, after = rest.split("  - job_name: prometheus\n")
    ours = "".join(_job(row) for row in SERVICES if not row.profile)
    return f"{head}scrape_configs:\n{ours}  - job_name: prometheus\n{after}"


def _job(row: Service) -> str:
    return JOB.format(name=row.name, port=row.metrics_port)


FILES = {CHART / "values.schema.json": schema, Path("grafana") / "prometheus.yml": jobs}

if __name__ == "__main__":
    for name, written in FILES.items():
        (ROOT / name).write_text(written((ROOT / name).read_text()))
