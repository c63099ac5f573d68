"""What Helm makes of the chart: `make chart-test`. A plain `make test` needs no Helm."""

import os
from pathlib import Path

# The script of `helm test` is ordinary Python and is tested with the rest.
WITHOUT_HELM = {"test_check_script.py"}
HERE = Path(__file__).parent
_needing = {str(path.relative_to(HERE)) for path in HERE.rglob("test_*.py")} - WITHOUT_HELM
collect_ignore = [] if os.environ.get("CHART_TEST") else sorted(_needing)
