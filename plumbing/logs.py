"""JSON lines on stdout, ours and those of libraries."""

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import Processor

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


def configure(service: str, level: str = "INFO", to: TextIO | None = None) -> None:
    """Log as ``service`` from now on, to stdout by default; libraries speak from WARNING up."""
    structlog.contextvars.bind_contextvars(service=service)

    def named(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event.setdefault("service", service)  # other threads have contexts of their own
        return event

    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level.lower()),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(to or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                named,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("crypto_volatility").setLevel(level.upper())


def get_logger() -> structlog.stdlib.BoundLogger:
    """Return the logger of this process: ``get_logger().info("feed.connected", url=…)``."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger("crypto_volatility")
    return logger
