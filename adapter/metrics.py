"""All metrics of the adapter."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from adapter.passthrough import GET_PATHS, INFER_PATHS
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
CLASSES: Final = ("2xx", "4xx", "5xx")
NO_VARIANT: Final = "none"
# 0.8 is the bound of the SLO.
_MILLISECONDS: Final = (0.5, 1, 2, 3, 5, 7.5, 10, 25, 50, 100, 250, 500, 800, 1000, 2500, 5000)
SECONDS: Final = tuple(milliseconds / 1000 for milliseconds in _MILLISECONDS)
ROWS: Final = (1, 2, 5, 10, 50, 100, 250, 500, 1000)
ERRORS: Final = ("away", "bad_response")


class Metrics:
    """Counters start at 0, so that a rate is seen from the first error on."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.requests = Counter(
            "adapter_requests_total",
            "Requests answered, by route, method, class of status and variant that answered",
            ["route", "method", "status", "variant"],
            registry=registry,
        )
        self.seconds = Histogram(
            "adapter_request_duration_seconds",
            "Time from the first byte of a request to the last of its answer, by class of status",
            ["route", "status"],
            buckets=SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "adapter_requests_in_flight", "Requests under way", registry=registry
        )
        self.rows = Histogram(
            "adapter_rows",
            "Rows of a request to /predict that was scored",
            buckets=ROWS,
            registry=registry,
        )
        self.model_errors = Counter(
            "adapter_model_errors_total",
            "Requests to the model that failed, by variant and kind",
            ["variant", "kind"],
            registry=registry,
        )
        self.fallbacks = Counter(
            "adapter_fallbacks_total",
            "Requests answered by the adapter's own baseline because the model was away",
            registry=registry,
        )
        self.rate_limited = Counter(
            "adapter_rate_limited_total",
            "Requests refused because the client had sent too many",
            ["route"],
            registry=registry,
        )
        self.serving = Gauge(
            "adapter_serving_variant",
            "1 for the variant that serves, 0 for the others",
            ["variant"],
            registry=registry,
        )
        self.model = Gauge(
            "adapter_model_info",
            "1 for the model that answered last, by variant",
            ["variant", "version", "dialect"],
            registry=registry,
        )
        self.model_up = Gauge(
            "adapter_model_up",
            "1 where the variant answered when it was last asked",
            ["variant"],
            registry=registry,
        )
        self.foreign_dialect = Gauge(
            "adapter_foreign_dialect",
            "1 where the model was trained on another dialect than the feed's",
            ["variant"],
            registry=registry,
        )
        self.control_followed = Gauge(
            "adapter_control_followed",
            "1 while the topic control is followed, 0 while the last variant is kept",
            registry=registry,
        )
        self._infos: dict[str, ModelInfo] = {}
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        for status in CLASSES:
            for variant in (*VARIANTS, NO_VARIANT):
                self.requests.labels("/predict", "POST", status, variant)
            self.seconds.labels("/predict", status)
        for variant in VARIANTS:
            for kind in ERRORS:
                self.model_errors.labels(variant, kind)
            self.model_up.labels(variant)
            self.foreign_dialect.labels(variant)
        self.rate_limited.labels("/predict")

    def serves(self, variant: str) -> None:
        """Say which variant serves."""
        for each in VARIANTS:
            self.serving.labels(each).set(each == variant)

    def answered(self, info: ModelInfo, feed_dialect: str) -> None:
        """Say that a model answered, and which it is."""
        self.model_up.labels(info.variant).set(1)
        before = self._infos.get(info.variant)
        if before == info:
            return
        if before is not None:
            self.model.remove(before.variant, before.version, before.dialect)
        self._infos[info.variant] = info
        self.model.labels(info.variant, info.version, info.dialect).set(1)
        self.foreign_dialect.labels(info.variant).set(info.dialect != feed_dialect)

    def failed(self, variant: str, kind: str) -> None:
        """Say that a model gave no usable answer; ``kind`` is one of ``ERRORS``."""
        self.model_up.labels(variant).set(0)
        self.model_errors.labels(variant, kind).inc()
