"""Traces: one tree of spans for each request with everything that it causes, also after the response.

A trace has the trace id of the request's `traceparent` (W3C), which events carry in their Kafka headers. The
id decides whether a trace is recorded, so that all processes decide the same: the share `trace_sampling` of
all ids is. A client's own flag and id are ignored, because they would let anyone make the platform record.

While tracing is off, which is the default, no span is made and no package of OpenTelemetry is loaded.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from secrets import token_hex
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from common.settings import Settings

if TYPE_CHECKING:
    from common.span_recorder import SpanRecorder

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Attributes = Mapping[str, str | int | float | bool]

_NONE: Attributes = MappingProxyType({})

_RANDOM_BITS = 32
"""Bits at the end of a trace id that decide. In a UUIDv7, those before count the ids of a millisecond."""


@dataclass(slots=True)
class Span:
    """A span that is open in this task. Its name and attributes may change until it ends."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    """The span that caused it; empty for the first of its trace."""
    kind: Kind
    started_ns: int
    """Unix time in nanoseconds."""
    attributes: dict[str, str | int | float | bool] = field(default_factory=dict)
    has_ended: bool = False

    @property
    def traceparent(self) -> str:
        """The header that makes other processes' spans children of this one."""
        return f"00-{self.trace_id}-{self.span_id}-01"


_current: ContextVar[Span | None] = ContextVar("span", default=None)
_recorder: "SpanRecorder | None" = None
_threshold = 0


def configure_tracing(settings: Settings) -> None:
    """Turn tracing on in this process, if the settings name a collector. Call it once, from `main()`."""
    global _recorder, _threshold
    if not settings.trace_endpoint and not settings.zipkin:
        return
    from common.span_recorder import SpanRecorder, make_exporter  # 25 MB, which only tracing costs

    _threshold = round(settings.trace_sampling * 2**_RANDOM_BITS)
    _recorder = SpanRecorder(make_exporter(settings))


def is_on() -> bool:
    """Return whether this process records traces."""
    return _recorder is not None


def is_sampled(trace_id: str) -> bool:
    """Return whether the trace with this id (32 hex digits, or empty) is recorded."""
    return (
        _recorder is not None
        and len(trace_id) == 32
        and int(trace_id, 16) & (2**_RANDOM_BITS - 1) < _threshold
    )


def span_id_of_event(event_id: str) -> str:
    """Return the id of the span of an event, 16 hex digits: the random end of its UUIDv7."""
    return f"{event_id[19:23]}{event_id[24:]}"


def current_span() -> Span | None:
    """Return the open span of this task; None if its trace is not recorded.

    A background task that a request has started belongs to no span once the request has ended.
    """
    span = _current.get()
    return None if span is None or span.has_ended else span


@contextmanager
def trace_span(
    service: str, name: str, kind: Kind, trace_id: str, parent_id: str = "", attributes: Attributes = _NONE
) -> Iterator[Span | None]:
    """Open a span of a trace, as a child of the span `parent_id`; yield None if the trace is not recorded.

    An exception that ends the block is noted and raised.
    """
    if not is_sampled(trace_id):
        yield None
        return
    span = Span(service, name, trace_id, token_hex(8), parent_id, kind, time.time_ns(), dict(attributes))
    token = _current.set(span)
    try:
        yield span
    except Exception as error:
        span.attributes["error"] = type(error).__name__
        raise
    finally:
        _current.reset(token)
        span.has_ended = True
        record_span(span, time.time_ns())


@contextmanager
def child_span(name: str, kind: Kind = "internal", attributes: Attributes = _NONE) -> Iterator[Span | None]:
    """Open a child of the current span, of the same service; yield None if there is none."""
    parent = current_span()
    if parent is None:
        yield None
    else:
        with trace_span(parent.service, name, kind, parent.trace_id, parent.span_id, attributes) as span:
            yield span


def note_status(span: Span | None, status: int) -> None:
    """Add the status of an HTTP response to its span, if there is one. From 500 on, it marks an error."""
    if span is not None:
        span.attributes["http.response.status_code"] = status
        if status >= 500:
            span.attributes.setdefault("error", str(status))


def record_span(span: Span, ended_ns: int) -> None:
    """Record a span that has ended, at a Unix time in nanoseconds."""
    if _recorder is not None:
        _recorder.record(span, ended_ns)
