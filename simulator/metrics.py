"""All metrics of the simulator."""

from prometheus_client import CollectorRegistry, Counter, Gauge

KINDS = ("ticker", "market_trades", "heartbeats", "subscriptions", "error")


class Metrics:
    """What was sent, to how many, and where event time stands."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.frames = Counter(
            "simulator_frames_sent_total", "Frames sent, by kind.", ["kind"], registry=registry
        )
        for kind in KINDS:
            self.frames.labels(kind)
        self.connections = Gauge(
            "simulator_connections", "Open WebSocket connections.", registry=registry
        )
        self.event_time = Gauge(
            "simulator_event_time_seconds", "Event time of the last frame.", registry=registry
        )
