"""Write ``settings.md``, ``metrics.md`` and the table of ``features.md``; ``make docs`` runs it.

A test compares the pages with what this gives, so that they cannot drift.
"""

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from featurizer.features import FEATURES
from local.services import SERVICES
from plumbing.metrics import Metric, tables_of

HERE = Path(__file__).parent
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


PAGES = {"settings.md": settings_page, "metrics.md": metrics_page, "features.md": features_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page())
