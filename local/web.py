"""Small HTTP questions to the children, past any proxy."""

import http.client
import json
from collections.abc import Collection
from typing import Any

_AWAY = (OSError, http.client.HTTPException, ValueError)


def status_of(port: int, path: str, timeout: float = 1.0) -> int | None:
    """Return the status of a GET on 127.0.0.1, None if nobody answers."""
    try:
        return _get(port, path, timeout)[0]
    except _AWAY:
        return None


def json_of(port: int, path: str, timeout: float = 1.0, statuses: Collection[int] = (200,)) -> Any:
    """Return what a GET on 127.0.0.1 says, None if nobody answers with such a status and JSON."""
    try:
        status, body = _get(port, path, timeout)
        return json.loads(body) if status in statuses else None
    except _AWAY:
        return None


def _get(port: int, path: str, timeout: float) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
