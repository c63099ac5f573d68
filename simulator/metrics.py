"""All metrics of the simulator."""

from plumbing.metrics import Label, MetricTable, counter

KINDS = ("ticker", "market_trades", "heartbeats", "subscriptions", "error")


class Metrics(MetricTable):
    """What was sent; ``/status`` tells the rest."""

    frames = counter("simulator_frames_sent_total", "Frames sent", Label("kind", KINDS))
