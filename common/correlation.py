"""The correlation id of a request: on its response, its log lines, and the requests and events it causes."""

import re
from hashlib import blake2b

import structlog
from starlette.types import Scope

from common.ids import new_id

HEADER = b"x-correlation-id"
_TRACEPARENT = b"traceparent"
_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


def begin(scope: Scope) -> str:
    """Return the correlation id of a request, and bind it to the log lines of its task.

    It is the client's, if that one is valid, else a new UUIDv7. The scope then has the header
    `X-Correlation-Id`. If the client sent no `traceparent`, the scope gets one, whose trace id
    derives from the correlation id. Events carry this trace id.
    """
    given: bytes | None = None
    traceparent: bytes | None = None
    for name, value in scope["headers"]:
        if name == HEADER:
            given = value
        elif name == _TRACEPARENT:
            traceparent = value
    if given is not None and _ID.fullmatch(given):
        correlation_id = given.decode()
    else:
        correlation_id = new_id()
        scope["headers"] = [
            *((name, value) for name, value in scope["headers"] if name != HEADER),
            (HEADER, correlation_id.encode()),
        ]
    if traceparent is None:
        scope["headers"] = [*scope["headers"], (_TRACEPARENT, _traceparent(correlation_id))]
    structlog.contextvars.bind_contextvars(correlation_id=correlation_id)
    return correlation_id


def _traceparent(correlation_id: str) -> bytes:
    """Return a W3C trace context that is not sampled. Its trace id is the UUID, or a hash of another id."""
    digits = correlation_id.replace("-", "")
    if not re.fullmatch(r"[0-9a-f]{32}", digits) or not digits.strip("0"):
        digits = blake2b(correlation_id.encode(), digest_size=16).hexdigest()
    header = f"00-{digits}-{digits[16:]}-00"
    return header.encode()
