"""Where a server listens: at one address, or at every one of IPv4 and IPv6."""

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Annotated, Final

from pydantic import AfterValidator

EVERYWHERE: Final = "::"
"""Every address of both families, as in most servers; for asyncio it would be IPv6 alone."""


def bare(host: str) -> str:
    """Return an address without the brackets that URLs put around one of IPv6.

    >>> bare("[::1]"), bare("127.0.0.1")
    ('::1', '127.0.0.1')
    """
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


ListenHost = Annotated[str, AfterValidator(bare)]


def host_for_asyncio(host: str) -> str:
    """Return what asyncio, and what listens by it, takes for a host: nothing is every address.

    A machine without IPv6 is passed over by asyncio there.

    >>> host_for_asyncio("::"), host_for_asyncio("::1")
    ('', '::1')
    """
    return "" if host == EVERYWHERE else host


class ThreadedServer(ThreadingHTTPServer):
    """A server whose threads end with the process, at an address of either family, or of both."""

    daemon_threads = True

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        if host == EVERYWHERE and not socket.has_dualstack_ipv6():
            host = "0.0.0.0"  # a kernel without IPv6
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), handler)

    def server_bind(self) -> None:
        """Bind, for both families where it is every address, and ask no name server who we are."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
