"""All metrics of the adapter."""

from typing import Final

from prometheus_client import CollectorRegistry

from adapter.passthrough import GET_PATHS, INFER_PATHS
from plumbing.metrics import Label, MetricTable, counter, gauge, histogram
from serving.artifact import ModelInfo
from serving.control import VARIANTS

ROUTES: Final = (
    "/predict",
    "/health",
    "/version",
    "/metrics",
    "/healthz",
    "/readyz",
    "/docs",
    "/openapi.json",
    *GET_PATHS,
    *INFER_PATHS,
)
OTHER: Final = "other"
METHODS: Final = ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
NO_VARIANT: Final = "none"
ERRORS: Final = ("away", "bad_response")
# Of routes, those that exist from the start in a rate; the others when they are first asked.
ROUTE: Final = Label("route", ("/predict", *INFER_PATHS))
STATUS: Final = Label("status", ("2xx", "4xx", "5xx"))
VARIANT: Final = Label("variant", VARIANTS)


class Metrics(MetricTable):
    """Requests, and the models behind them."""

    requests = counter(
        "adapter_requests_total",
        "Requests answered, by route, method, class of status and variant that answered",
        ROUTE,
        Label("method", ("POST",)),
        STATUS,
        Label("variant", (*VARIANTS, NO_VARIANT)),
    )
    seconds = histogram(
        "adapter_request_duration_seconds",
        "Time from the first byte of a request to the last of its answer, by class of status",
        ROUTE,
        STATUS,
    )
    in_flight = gauge("adapter_requests_in_flight", "Requests under way")
    rows = histogram("adapter_rows", "Rows of a request to /predict that was scored")
    model_errors = counter(
        "adapter_model_errors_total",
        "Requests to the model that failed, by variant and kind",
        VARIANT,
        Label("kind", ERRORS),
    )
    fallbacks = counter(
        "adapter_fallbacks_total",
        "Requests answered by the adapter's own baseline as the model was away",
    )
    rate_limited = counter(
        "adapter_rate_limited_total", "Requests refused as the client had sent too many", ROUTE
    )
    serving = gauge(
        "adapter_serving_variant", "1 for the variant that serves, else 0", Label("variant")
    )
    model = gauge(
        "adapter_model_info",
        "1 for the model that answered last, by variant",
        Label("variant"),
        Label("version"),
        Label("dialect"),
    )
    model_up = gauge(
        "adapter_model_up", "1 where the variant answered when last asked, else 0", VARIANT
    )
    control_followed = gauge(
        "adapter_control_followed",
        "1 while the topic `control` is followed, 0 while the last variant is kept",
    )

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self._infos: dict[str, ModelInfo] = {}

    def serves(self, variant: str) -> None:
        """Say which variant serves."""
        for each in VARIANTS:
            self.serving.labels(each).set(each == variant)

    def answered(self, info: ModelInfo) -> None:
        """Say that a model answered, and which it is."""
        self.model_up.labels(info.variant).set(1)
        before = self._infos.get(info.variant)
        if before == info:
            return
        if before is not None:
            self.model.remove(before.variant, before.version, before.dialect)
        self._infos[info.variant] = info
        self.model.labels(info.variant, info.version, info.dialect).set(1)

    def failed(self, variant: str, kind: str) -> None:
        """Say that a model gave no usable answer; ``kind`` is one of ``ERRORS``."""
        self.model_up.labels(variant).set(0)
        self.model_errors.labels(variant, kind).inc()
