"""What a request asks for, and the errors that say what was found and what was expected."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from monitor.http.times import parse_us

MOST: Final = 1_000


class RequestProblem(Exception):
    """An answer that is an error: status, title and what was found and expected."""

    def __init__(self, status: int, title: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        self.body.update(more)


def only(request: web.Request, *names: str) -> None:
    """Refuse parameters that there are not; raises ``RequestProblem``."""
    unknown = sorted(set(request.query) - set(names))
    if unknown:
        detail = f"found the parameter {unknown[0]!r}, expected {', '.join(names)}"
        raise RequestProblem(422, "Unknown parameter", detail, parameter=unknown[0])


def time_of(found: Mapping[str, str], name: str) -> int | None:
    """Return a time in epoch microseconds, None where none is named; raises ``RequestProblem``."""
    if name not in found:
        return None
    try:
        return parse_us(found[name])
    except ValueError as exc:
        raise RequestProblem(422, "Bad parameter", f"{name}: {exc}", parameter=name) from exc


def limit_of(found: Mapping[str, str]) -> int:
    """Return how many are wanted, 100 if unsaid; raises ``RequestProblem``."""
    text = found.get("limit", "100")
    if not (text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MOST):
        detail = f"limit: found {text!r}, expected an integer from 1 to {MOST}"
        raise RequestProblem(422, "Bad parameter", detail, parameter="limit")
    return int(text)


def json_bytes(body: bytes) -> web.Response:
    """Return an answer of JSON."""
    return web.Response(body=body, headers={"Content-Type": "application/json"})
