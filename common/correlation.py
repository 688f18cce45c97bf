"""The correlation id of a request: on its response, its log lines, and the requests and events it causes."""

import re
from contextlib import AbstractContextManager
from contextvars import ContextVar
from hashlib import blake2b

import structlog
from starlette.types import Scope

from common.ids import new_id

HEADER = b"x-correlation-id"
_TRACEPARENT = b"traceparent"
_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_W3C_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")

_headers: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("outgoing_headers", default=())


def begin(scope: Scope, *, keeps_trace: bool) -> str:
    """Return the correlation id of a request, and bind it and the trace id to the log lines of its task.

    It is the caller's, if that one is valid, else a new UUIDv7. The scope then has the header
    `X-Correlation-Id`. If `keeps_trace`, a valid `traceparent` of the caller is kept; otherwise the request
    begins a new trace. No text of the caller goes into its id, which decides whether it is recorded. Events
    and `outgoing_headers` carry both.
    """
    given: bytes | None = None
    traceparent = ""
    for name, value in scope["headers"]:
        if name == HEADER:
            given = value
        elif name == _TRACEPARENT and keeps_trace:
            traceparent = value.decode("latin-1")
    new = new_id()
    correlation_id = given.decode() if given is not None and _ID.fullmatch(given) else new
    trace_id = trace_id_of(traceparent)
    if not trace_id:
        trace_id = new.replace("-", "")
        traceparent = f"00-{trace_id}-{trace_id[16:]}-00"
    scope["headers"] = [
        *(pair for pair in scope["headers"] if pair[0] not in (HEADER, _TRACEPARENT)),
        (HEADER, correlation_id.encode()),
        (_TRACEPARENT, traceparent.encode()),
    ]
    structlog.contextvars.bind_contextvars(correlation_id=correlation_id, trace_id=trace_id)
    _headers.set((("x-correlation-id", correlation_id), ("traceparent", traceparent)))
    return correlation_id


def caller_of(scope: Scope) -> tuple[str, str]:
    """Return the trace id of a request that has begun, and the caller's span id; empty without a caller."""
    traceparent = next(value for name, value in reversed(scope["headers"]) if name == _TRACEPARENT).decode()
    _, trace_id, span_id, _ = traceparent.split("-")
    return trace_id, "" if span_id == trace_id[16:] else span_id


def continue_trace(scope: Scope, traceparent: str) -> None:
    """Make the span of `traceparent` the caller of what a request causes from now on."""
    scope["headers"] = [pair for pair in scope["headers"] if pair[0] != _TRACEPARENT]
    scope["headers"].append((_TRACEPARENT, traceparent.encode()))
    _headers.set(
        (*(pair for pair in _headers.get() if pair[0] != "traceparent"), ("traceparent", traceparent))
    )


def outgoing_headers(traceparent: str = "") -> tuple[tuple[str, str], ...]:
    """Return the headers of a request to another service that continues the current request's chain.

    `traceparent` is that of the span of this one request, if there is one.
    """
    headers = _headers.get()
    return (*headers[:1], ("traceparent", traceparent)) if traceparent else headers


def bound_chain(correlation_id: str, trace_id: str = "") -> AbstractContextManager[None]:
    """Return a context manager in which log lines have the ids of one chain of events, such as an order's."""
    return structlog.contextvars.bound_contextvars(
        correlation_id=correlation_id, trace_id=trace_id or derived_trace_id(correlation_id)
    )


def trace_id_of(traceparent: str | None) -> str:
    """Return the trace id in a W3C `traceparent`, 32 hex digits; an empty string if it has none."""
    found = _W3C_TRACEPARENT.fullmatch(traceparent) if traceparent else None
    return found[1] if found else ""


def span_id_of(traceparent: str | None) -> str:
    """Return the span id in a W3C `traceparent`, 16 hex digits; an empty string if it has none."""
    found = _W3C_TRACEPARENT.fullmatch(traceparent) if traceparent else None
    return found[2] if found else ""


def derived_trace_id(correlation_id: str) -> str:
    """Return the trace id of a chain without one: the UUID's digits, or a hash of another id."""
    digits = correlation_id.replace("-", "")
    if re.fullmatch(r"[0-9a-f]{32}", digits) and digits.strip("0"):
        return digits
    return blake2b(correlation_id.encode(), digest_size=16).hexdigest()
