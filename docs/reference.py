"""Write ``settings.md``, ``metrics.md``, ``chart-values.md`` and the table of ``features.md``.

``make docs`` runs it. A test compares the pages with what this gives, so that they cannot drift.
"""

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from featurizer.features import FEATURES
from local.services import SERVICES
from plumbing.metrics import Metric, tables_of

HERE = Path(__file__).parent
VALUES = HERE.parent / "charts" / "crypto-volatility" / "values.yaml"
SETTINGS = [
    ("plumbing.settings", "Kafka, in every service"),
    ("plumbing.tracing.settings", "traces, in every service"),
    *((row.settings, row.name) for row in SERVICES if row.settings),
    ("promotion.config", "promotion, and training"),
    ("training.config", "training"),
    ("local.config", "the demo"),
]
METRICS = [(row.metrics, row.name) for row in SERVICES if row.metrics]


def settings_page() -> str:
    """Return the page of all settings, one table a service."""
    parts = ["# Settings\n", "All are environment variables, read once at the start.\n"]
    for module, title in SETTINGS:
        for found in _settings_of(module):
            prefix = found.model_config.get("env_prefix", "")
            parts += [f"\n## {title}\n", "| variable | default | meaning |", "|---|---|---|"]
            for name, field in found.model_fields.items():
                variable = field.alias or f"{prefix}{name}".upper()
                meaning = " ".join((field.description or "").split())
                parts.append(f"| `{variable}` | {_shown(field.default)} | {meaning} |")
            for name, old in getattr(found, "renamed", {}).items():
                new = f"{prefix}{name}".upper()
                parts.append(f"| `{old}` | – | `{new}` as it was; read for one more release. |")
    return "\n".join(parts) + "\n"


def _settings_of(module: str) -> Iterator[type[BaseSettings]]:
    loaded = importlib.import_module(module)
    for _, found in inspect.getmembers(loaded, inspect.isclass):
        if issubclass(found, BaseSettings) and found.__module__ == module:
            yield found


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, SecretStr):
        return "(secret)"
    if isinstance(value, (tuple, list)):
        value = ",".join(map(str, value))
    return f"`{value}`" if str(value) else "–"


def metrics_page() -> str:
    """Return the page of all metrics, one table a service."""
    parts = ["# Metrics\n", "Each service serves its own on `/metrics`.\n"]
    for module, title in METRICS:
        parts += [f"\n## {title}\n", "| metric | kind | labels | meaning |", "|---|---|---|---|"]
        parts += [_line(row) for table in tables_of(module) for row in table.table().values()]
    return "\n".join(parts) + "\n"


def _line(row: Metric[Any]) -> str:
    labels = ", ".join(f"`{label.name}`" for label in row.labels) or "–"
    return f"| `{row.name}` | {row.kind.__name__.lower()} | {labels} | {row.help} |"


def features_page() -> str:
    """Return the page of features with the table that ``FEATURES`` gives."""
    lines = (HERE / "features.md").read_text().splitlines(keepends=True)
    head = lines.index("| # | feature | definition | window | unit |\n") + 2
    end = next(at for at in range(head, len(lines)) if not lines[at].startswith("|"))
    rows = [
        f"| {at} | `{feature.name}` | {feature.statistic.definition} | {feature.window} s"
        f" | {feature.statistic.unit} |\n"
        for at, feature in enumerate(FEATURES)
    ]
    return "".join([*lines[:head], *rows, *lines[end:]])


def chart_values_page() -> str:
    """Return the page of the chart's values: path, default, and the comment above it."""
    text = VALUES.read_text()
    parts = ["# Values of the chart\n"]
    parts += ["The comments of `charts/crypto-volatility/values.yaml`, in a table.\n"]
    parts += ["| value | default | meaning |", "|---|---|---|"]
    for path, default, meaning in _values(yaml.safe_load(text), dict(_commented(text))):
        parts.append(f"| `{'.'.join(path)}` | {default} | {meaning} |")
    return "\n".join(parts) + "\n"


def _commented(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Return the path of each key that has a line of its own, with the comment above it.

    Of components the name alone: what one is made of is said above all of them.
    """
    path: list[str] = []
    comment: list[str] = []
    for line in text.splitlines():
        found = re.match(r"( *)(?:# (.*)|([A-Za-z][\w-]*):( .*)?)$", line)
        if found and found[3]:
            path[len(found[1]) // 2 :] = [found[3]]
            if path[0] != "components" or len(path) <= 2:
                yield tuple(path), " ".join(comment).replace("|", "\\|")
        going_on = found and found[2] and not found[2].startswith("---")
        comment = [*comment, found[2]] if found and going_on else []


def _values(
    tree: dict[str, Any], comments: dict[tuple[str, ...], str], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Return path, default and meaning of every value that has a line of its own.

    One without a comment is as the map before it that has the same keys.
    """
    told_by: dict[tuple[str, ...], str] = {}
    for key, value in tree.items():
        path = (*above, key)
        keys = tuple(sorted(value)) if isinstance(value, dict) else ()
        if comments.get(path) == "" and keys in told_by:
            comments = {**comments, path: f"as `{told_by[keys]}`"}
        elif keys and comments.get(path):
            told_by[keys] = key
        inner = list(_values(value, comments, path)) if isinstance(value, dict) else []
        told = any(meaning for _, _, meaning in inner)
        if path in comments and (comments[path] or not inner):
            shown = "–" if told or above == ("components",) else _flow(value)
            yield path, shown, comments[path]
        if told or not comments.get(path):
            yield from inner


def _flow(value: Any) -> str:
    """Return a value as YAML in one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000)
    return f"`{text.removesuffix('...' + chr(10)).strip()}`"


PAGES = {
    "settings.md": settings_page,
    "metrics.md": metrics_page,
    "features.md": features_page,
    "chart-values.md": chart_values_page,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page())
