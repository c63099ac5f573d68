"""MLServer's logs as the JSON lines of the other services; ``settings.json`` names this."""

from typing import Final

from mlserver.context import model_name_var, model_version_var
from structlog.processors import JSONRenderer, TimeStamper, format_exc_info
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, WrappedLogger

FIELDS: Final = ("digest", "dialect", "reason")
"""What our records carry beside their event; uvicorn's extras are colours."""


def json_lines(service: str = "mlserver") -> ProcessorFormatter:
    """Make a formatter for records of the standard library: one JSON object a record."""

    def named(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        if model := model_name_var.get(""):
            event.update(model=model, version=model_version_var.get(""))
        return event

    return ProcessorFormatter(
        foreign_pre_chain=[
            add_log_level,
            add_logger_name,
            ExtraAdder(allow=FIELDS),
            TimeStamper(fmt="iso", utc=True),
            named,
            format_exc_info,
        ],
        processors=[ProcessorFormatter.remove_processors_meta, JSONRenderer()],
    )
