"""What `helm install` says at its end; `helm template` renders it and shows nothing of it."""

import shutil
from pathlib import Path

from tests.chart.rendering import CHART, one, rendered

WRAPPED = """{{- define "wrapped" }}
%s
{{- end }}
apiVersion: v1
kind: ConfigMap
metadata: {name: crypto-volatility-wrapped}
data: {notes: {{ include "wrapped" . | toJson }}}
"""


def notes(folder: Path, *options: str) -> str:
    """Return the notes of a copy of the chart, made in a folder that is empty."""
    chart = folder / CHART.name
    shutil.copytree(CHART, chart)
    text = (CHART / "templates" / "NOTES.txt").read_text()
    (chart / "templates" / "wrapped.yaml").write_text(WRAPPED % text)
    found = one(rendered(*options, chart=str(chart)), "ConfigMap", "wrapped")
    return str(found["data"]["notes"])
