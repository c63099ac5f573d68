"""A client that finds no broker leaves nothing behind."""

import os
import subprocess
import sys

import pytest

CODE = """
import gc, os, threading
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from plumbing.kafka.opening import opened
gc.disable()  # nothing is left to it
before = threading.active_count(), len(os.listdir("/proc/self/fd"))
for make in (KafkaAdminClient, KafkaConsumer, KafkaProducer) * 3:
    try:
        opened(make, bootstrap_servers="127.0.0.1:1", bootstrap_timeout_ms=100)
    except Exception as exc:
        assert "bootstrap" in str(exc), exc
    else:
        raise SystemExit("expected no broker there")
after = threading.active_count(), len(os.listdir("/proc/self/fd"))
print(after == before or f"before {before}, after {after}")
"""


@pytest.mark.process
def test_an_outage_costs_neither_threads_nor_sockets() -> None:
    """After nine attempts there are as many threads and open files as before."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
        timeout=120,
    )
    assert done.stdout.strip() == "True"
