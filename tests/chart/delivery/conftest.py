"""How the chart reaches a cluster: packed, by GitOps tools, undone, removed."""

import os
from pathlib import Path

# What the chart holds is compared without Helm, with the rest.
WITHOUT_HELM = {"test_chart_files.py"}
_needing = {path.name for path in Path(__file__).parent.glob("test_*.py")} - WITHOUT_HELM
collect_ignore = [] if os.environ.get("CHART_TEST") else sorted(_needing)
