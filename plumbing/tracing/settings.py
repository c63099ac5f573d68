"""Whether traces are recorded and where they go."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class TraceSettings(BaseSettings):
    """OpenTelemetry's own variables, of which its SDK reads more (docs/tracing.md)."""

    model_config = SettingsConfigDict(
        env_prefix="OTEL_", frozen=True, env_ignore_empty=True, use_attribute_docstrings=True
    )

    exporter_otlp_endpoint: str | None = None
    """Base URL of a collector that takes OTLP over HTTP, such as http://collector:4318; unset or
    empty: no traces are recorded and no SDK is loaded."""
    exporter_otlp_traces_endpoint: str | None = None
    """Whole URL for traces; goes before the one above."""
    traces_exporter: str = "otlp"
    """`none` records nothing; anything else means OTLP over HTTP."""
    sdk_disabled: bool = False
    """Whether nothing is recorded, whatever else is set."""

    @property
    def wanted(self) -> bool:
        """True where a collector is named and nothing speaks against it."""
        off = self.sdk_disabled or self.traces_exporter == "none"
        return bool(self.endpoint) and not off

    @property
    def endpoint(self) -> str:
        """Where traces go; nothing where no collector is named.

        >>> TraceSettings(exporter_otlp_endpoint="http://collector:4318/").endpoint
        'http://collector:4318/v1/traces'
        """
        if self.exporter_otlp_traces_endpoint:
            return self.exporter_otlp_traces_endpoint
        base = self.exporter_otlp_endpoint
        return f"{base.rstrip('/')}/v1/traces" if base else ""
