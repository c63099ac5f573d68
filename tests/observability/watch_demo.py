"""Run Prometheus and Alertmanager beside a running demo, with the rules of ``grafana/``.

    python tests/observability/watch_demo.py RUN_DIR [--port 9090] [JOB=PORT …]

The scrape configuration is ``grafana/prometheus.yml`` with the demo's ports in place of the
containers' names; ``JOB=PORT`` adds what the demo does not start (``drift=8091``).
Both programs are looked for on the PATH; they end with this one.
"""

import argparse
import contextlib
import json
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

GRAFANA = Path(__file__).resolve().parents[2] / "grafana"
DEMO_PORTS = {"mlserver": "mlserver-metrics", "simulator": "simulator-admin"}
"""Jobs whose metrics are on another port than the one named after them."""


def scrape_config(ports: dict[str, int], port: int, alertmanager: int) -> dict[str, Any]:
    """Return ``grafana/prometheus.yml`` with targets here; jobs without port stay down."""
    config: dict[str, Any] = yaml.safe_load((GRAFANA / "prometheus.yml").read_text())
    known = {**ports, "prometheus": port, "alertmanager": alertmanager}
    for job in config["scrape_configs"]:
        name = job["job_name"]
        found = known.get(DEMO_PORTS.get(name, name), 1)
        job.pop("dns_sd_configs", None)
        job["static_configs"] = [{"targets": [f"127.0.0.1:{found}"]}]
    config["rule_files"] = [str(GRAFANA / "rules" / "*.yml")]
    to = [{"targets": [f"127.0.0.1:{alertmanager}"]}]
    config["alerting"] = {"alertmanagers": [{"static_configs": to}]}
    return config


def main() -> None:
    """Run both until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("jobs", nargs="*", metavar="JOB=PORT")
    parser.add_argument("--port", type=int, default=9090)
    said = parser.parse_args()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)
    state = json.loads((said.run_dir / "state.json").read_text())
    more = {job: int(port) for job, _, port in (each.partition("=") for each in said.jobs)}
    folder, alertmanager = Path(tempfile.mkdtemp(prefix="watch-demo-")), said.port + 3
    config = scrape_config({**state["ports"], **more}, said.port, alertmanager)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    started: list[subprocess.Popen[bytes]] = []
    with contextlib.suppress(KeyboardInterrupt), ended(started):
        for command in commands(folder, said.port, alertmanager):
            started.append(subprocess.Popen(command))
        started[0].wait()
    shutil.rmtree(folder)


@contextlib.contextmanager
def ended(processes: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    """End all of them, however this ends."""
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def commands(folder: Path, port: int, alertmanager: int) -> list[list[str]]:
    """Return how both are started, on 127.0.0.1."""
    return [
        [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--enable-feature=exemplar-storage",
            "--log.level=warn",
        ],
        [
            "alertmanager",
            f"--config.file={GRAFANA / 'alertmanager.yml'}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{alertmanager}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ],
    ]


if __name__ == "__main__":
    main()
