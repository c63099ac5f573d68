"""``python -m adapter`` serves; ``python -m adapter variant [ml|baseline]`` shows or switches."""

import argparse
import platform
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib.metadata import PackageNotFoundError, version

import uvicorn
from fastapi import FastAPI
from prometheus_client import REGISTRY

from adapter.app import create_app
from adapter.config import Settings
from adapter.connection import bounded
from adapter.drain import Drain, DrainingServer
from adapter.model_router import Fallback
from plumbing.kafka import KafkaSettings
from plumbing.listening import host_for_asyncio
from plumbing.logs import configure, get_logger
from plumbing.stop import Stop
from plumbing.terminal import user_name
from plumbing.tracing.settings import TraceSettings
from plumbing.tracing.tracer import open_tracer
from serving.artifact import load_folder
from serving.client import V2Client
from serving.control import VARIANTS, Control, Serving, UnknownVariant
from serving.follower import Follower, open_control
from serving.switch import read_control, write_control


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line says and give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m adapter", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    variant = commands.add_parser("variant", help="show which variant serves, or switch")
    variant.add_argument("name", nargs="?", help=f"one of {', '.join(VARIANTS)}")
    variant.add_argument("--by", default=f"{user_name()}@{platform.node()}", help="who wants it")
    options = parser.parse_args(arguments)
    settings = Settings()
    if options.command is None:
        return serve(settings)
    return show_or_switch(settings, options.name, options.by)


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; then clients are sent elsewhere, and all are answered."""
    configure("adapter", settings.log_level)
    Stop().install()  # uvicorn raises a second signal again when it is done: the exit code stays 0
    fallback = (
        Fallback.of(load_folder(settings.baseline_dir)) if settings.baseline_fallback else None
    )
    serving = Serving(settings.variant)
    follower = Follower(serving, lambda: open_control(KafkaSettings()))
    tracer = open_tracer("adapter", TraceSettings())
    drain = Drain(settings.drain_seconds)
    client = V2Client(settings.model_url, timeout=settings.model_timeout_seconds, tracer=tracer)
    app = create_app(
        settings,
        client,
        serving,
        registry=REGISTRY,
        fallback=fallback,
        control=(lambda: follower.state) if settings.follow_control else (lambda: "off"),
        opened=client,
        service_version=_service_version(),
        tracer=tracer,
        draining=lambda: drain.begun,
    )
    if settings.follow_control:
        follower.start()
    get_logger().info("adapter.started", host=settings.host, port=settings.port)
    DrainingServer(_config(app, settings), drain).run()
    follower.stop()
    tracer.close()
    get_logger().info("adapter.stopped")
    return 0


def _config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host_for_asyncio(settings.host),
        port=settings.port,
        access_log=False,
        log_config=None,
        proxy_headers=False,  # X-Forwarded-For is read by ADAPTER_TRUSTED_PROXY_HOPS alone
        server_header=False,
        http=bounded(
            settings.max_header_bytes, settings.receive_seconds, settings.keep_alive_seconds
        ),
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.graceful_seconds,
    )


def show_or_switch(settings: Settings, name: str | None, by: str) -> int:
    """Print which variant serves; with a name, first write it to the topic ``control``."""
    kafka = KafkaSettings()
    try:
        with redirect_stdout(sys.stderr):  # logs, ours and kafka-python's, are not the answer
            configure("adapter", "WARNING")
            if name is not None:
                write_control(kafka, name, by, time.time_ns() // 1_000)
            last = read_control(kafka)
    except UnknownVariant as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 2
    except Exception as exc:
        print(f"error: topic control on {kafka.bootstrap_servers}: {exc}", file=sys.stderr)
        return 1
    print(_shown(last, settings))
    return 0


def _shown(last: Control | None, settings: Settings) -> str:
    if last is None:
        return f"{settings.variant} (by default: the topic control says nothing)"
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(last.changed_us / 1e6))
    return f"{last.variant} (since {when}, by {last.changed_by})"


def _service_version() -> str:
    try:
        return version("crypto-volatility")
    except PackageNotFoundError:  # run from a checkout
        return "checkout"


if __name__ == "__main__":
    sys.exit(main())
