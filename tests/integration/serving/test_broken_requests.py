"""A client that aborts a request causes no error in the server's log."""

import socket
import struct

import httpx
import pytest

from common.settings import LOOPBACK, Settings
from tests.integration.serving.conftest import LoneApi
from tests.principals import bearer

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes `close` reset the connection."""


def break_off(settings: Settings, path: str, *, reset: bool) -> None:
    """Send the head and a part of the body of a POST, then close or reset the connection."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Idempotency-Key: broken\r\nContent-Length: 1000\r\n"
        f"Authorization: {bearer(settings)['Authorization']}\r\n\r\n"
    )
    with socket.create_connection((LOOPBACK, settings.port("serving"))) as client:
        client.sendall(head.encode() + b'{"lines": [')
        if reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_post_that_is_broken_off_leaves_no_traceback(lone_api: LoneApi, reset: bool) -> None:
    settings, logged_before = lone_api.settings, lone_api.log.stat().st_size
    for path in ("/v1/events", "/v1/orders", "/shop/cart", "/v1/stock"):
        break_off(settings, path, reset=reset)
    answer = httpx.post(
        f"{settings.serving}/v1/orders", json={}, headers=bearer(settings), trust_env=False, timeout=30
    )
    assert answer.status_code == 503  # no commerce services
    for _ in range(5):
        assert httpx.get(f"{settings.serving}/health", trust_env=False, timeout=30).is_success

    written = lone_api.log.read_bytes()[logged_before:].decode()
    assert "Traceback" not in written
    assert "never retrieved" not in written
    assert "unexpected error" not in written
