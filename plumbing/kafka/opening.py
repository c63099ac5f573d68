"""Making clients of kafka-python so that one that finds no broker leaves nothing behind."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]
from kafka.net.inet import KafkaNetSocket  # type: ignore[import-untyped]

T = TypeVar("T")

CLOSING: Final = "closing://"
"""The ``proxy_url`` of a client that closes the sockets of connections that failed."""


class _ClosingSocket(KafkaNetSocket):  # type: ignore[misc]
    """Connects without a proxy; kafka-python chooses the class by the scheme of ``proxy_url``.

    Its own leaves the socket of a refused connection to the garbage collector, and the error's
    traceback holds it until then: one for each attempt of an outage.
    """

    SCHEMES = ("closing",)

    async def sock_connect(self, net: Any, sock: Any, sockaddr: Any, timeout_at: Any = None) -> Any:
        try:
            return await super().sock_connect(net, sock, sockaddr, timeout_at=timeout_at)
        except BaseException:  # also a connection given up while it is under way
            sock.close()
            raise


def opened(make: Callable[..., T], **config: Any) -> T:
    """Make a consumer, a producer or an admin client.

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
        return make(**config, kafka_client=client, proxy_url=CLOSING)
    except BaseException:
        for each in clients:
            each.close()
            each._manager._net.stop()
        raise
