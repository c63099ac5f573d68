"""What asks a running Prometheus has a target of its own, ``make panels-test``."""

import os

collect_ignore = [] if os.environ.get("PROMETHEUS_URL") else ["test_panels.py"]
