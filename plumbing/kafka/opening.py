"""Making clients of kafka-python so that one that finds no broker leaves nothing behind."""

from collections.abc import Callable
from typing import Any, TypeVar

from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]

T = TypeVar("T")


def opened(make: Callable[..., T], **config: Any) -> T:
    """Make a consumer or an admin client.

    kafka-python starts its network thread before it looks for the broker, and where it finds
    none its constructor leaves thread and sockets behind: each attempt of an outage would.

    Raises:
        Exception: whatever the constructor raises.
    """
    clients: list[Any] = []

    def client(**options: Any) -> Any:
        clients.append(KafkaNetClient(**options))
        return clients[-1]

    try:
        return make(**config, kafka_client=client)
    except BaseException:
        for each in clients:
            each.close()
            each._manager._net.stop()
        raise
