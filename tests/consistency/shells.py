"""Which modules are shells: they move bytes, ask the clock, write logs. All others are cores."""

CONVENTIONAL = {"__main__", "app", "config", "metrics", "service"}
"""Names that are a shell's in every package, so that a usual service lists nothing here."""

SHELLS = {
    "adapter": {"access", "connection", "drain", "health", "model_router", "problems"},
    "drift": {"findings", "page", "window"},
    "featurizer": {"history"},
    "ingestor": {
        "backlog.spill",
        "backlog.waiting",
        "commands.redrive",
        "commands.session",
        "courier",
        "feed",
        "intake",
        "recordings.recorder",
        "refusal",
    },
    "local": {
        "audit",
        "broker",
        "demo",
        "jars",
        "plan",
        "ports",
        "processes",
        "report",
        "spawn",
        "state",
        "table",
        "topics",
    },
    "monitor": {
        "delivery.webhook",
        "explain.course_lookup",
        "explain.lookup",
        "follow",
        "http.access",
        "http.api",
        "http.board",
        "http.drift_pages",
        "http.faults",
        "http.history",
        "http.kept",
        "http.operations",
        "http.page",
        "http.requests",
        "http.spans",
        "http.states",
        "http.store",
        "http.stream",
        "http.track",
        "letters",
        "past",
        "places",
        "prober",
        "progress",
        "publication",
        "reading",
        "restore",
        "states.lookup",
        "tick_lookup",
    },
    "plumbing": {
        "exposition",
        "kafka",
        "known_settings",
        "listening",
        "logs",
        "metrics",
        "probes",
        "process",
        "proxies",
        "renamed_settings",
        "settings",
        "stop",
        "terminal",
        "tracing.otel",
        "tracing.settings",
        "tracing.tracer",
    },
    "promotion": {
        "cluster.access",
        "cluster.change",
        "cluster.client",
        "cluster.dependents",
        "cluster.model_store",
        "cluster.promoter",
        "cluster.undo",
        "commands",
        "deployment",
        "promoter",
        "tracking",
    },
    "scorer": {"batches", "shadow_client"},
    "serving": {"client", "connections", "follower", "logs", "runtime", "switch"},
    "simulator": {"admin", "server", "source"},
    "training": {
        "commands",
        "data.parallel",
        "data.topic",
        "pipeline",
        "relative.run",
        "report.plots",
    },
}
"""By package: modules, and folders of which every module may be one."""

OFFERED = {
    "featurizer.history": "the monitor makes a row again from what the featurizer reads back",
    "ingestor.refusal": "whoever reads a topic refuses its records alike",
    "monitor.reading": "the drift monitor reads back what the monitor does",
    "promotion.config": "training promotes, and logs its runs where promotion does",
    "promotion.tracking.runs": "training logs its runs",
    "serving.client": "adapter and scorer ask the model server",
    "serving.follower": "both follow the record of which variant serves",
    "serving.switch": "the adapter's command writes it",
}
"""Shells that other packages import, with why; every other is its package's own."""

LENT = {
    "training.data.parallel": "an Executor says where tasks run, not the core that is given one"
}
"""Shells that cores may import."""

SHARED = {"plumbing.messages"}
"""What cores share of ``plumbing``, itself a core: all else there moves bytes."""

PORTS = {
    "aiohttp",
    "concurrent",
    "dask",
    "distributed",
    "fastapi",
    "kafka",
    "kubernetes",
    "logging",
    "matplotlib",
    "mlflow",
    "mlserver",
    "plumbing",
    "prometheus_client",
    "pydantic_settings",
    "signal",
    "socket",
    "starlette",
    "structlog",
    "subprocess",
    "threading",
    "time",
    "tqdm",
    "urllib.request",
    "uvicorn",
    "websockets",
}
"""What no core imports: Kafka, sockets, clocks, logs, frameworks, processes."""

WORLD = {
    "datetime.now",
    "datetime.utcnow",
    "date.today",
    "input()",
    "os.environ",
    "os.getenv",
    "os.getpid",
    "print()",
    "os.kill",
    "sys.argv",
    "sys.stderr",
    "sys.stdout",
}
"""What no core uses: the wall clock, the environment, the terminal, processes."""
