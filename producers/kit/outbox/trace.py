"""The headers that link the events of one chain: correlation, causation and W3C trace context."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from common.correlation import trace_id_of
from common.tracing import current_span, is_sampled, span_id_of_event
from schemas.events import order_events

TRACESTATE_KEY = "souk"
"""The key of W3C `tracestate` under which an event of a recorded trace names the span that emitted it."""

_MAX_CORRELATION_ID_CHARS = 255
"""A longer id, which only an external event can have, is truncated: every event of the chain carries it."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The ids that every event of a chain carries: of the chain, of the event before it, and of the trace."""

    correlation_id: str
    """The id of the chain, such as an order's id."""
    causation_id: str | None = None
    """The id of the event that caused the next one; None if a request caused it."""
    trace_id: str = ""
    """W3C trace context, 32 hex digits. If it is empty, the next event starts a new trace."""

    @classmethod
    def start(cls, correlation_id: str, traceparent: str | None) -> Self:
        """Return the trace of a chain's first event, with the trace id of the request's `traceparent`."""
        return cls(correlation_id, None, trace_id_of(traceparent))

    @classmethod
    def caused_by(cls, event_id: str, headers: Mapping[str, str]) -> Self:
        """Return the trace of the events that an event causes, given the event's id and headers."""
        correlation = headers.get("correlation_id") or event_id
        return cls(correlation[:_MAX_CORRELATION_ID_CHARS], event_id, trace_id_of(headers.get("traceparent")))

    def headers(self, event_id: str) -> dict[str, str]:
        """Return the headers of the next event; `event_id` is its UUIDv7."""
        headers = {
            "correlation_id": self.correlation_id,
            "traceparent": traceparent_of(event_id, self.trace_id),
        }
        if self.causation_id is not None:
            headers["causation_id"] = self.causation_id
        if (span := current_span()) is not None and span.trace_id == self.trace_id:
            headers["tracestate"] = f"{TRACESTATE_KEY}={span.span_id}"
        return headers


def traceparent_of(event_id: str, trace_id: str = "") -> str:
    """Return the `traceparent` (W3C trace context) of an event, which is one span of its trace.

    Without a `trace_id`, the event starts a new trace. The flag says whether the trace is recorded.
    """
    trace_id = trace_id or event_id.replace("-", "")
    return f"00-{trace_id}-{span_id_of_event(event_id)}-{'01' if is_sampled(trace_id) else '00'}"


def order_attribute(topic: str, key: str) -> dict[str, str]:
    """Return the attribute by which the traces of an order are found, for a message of an order."""
    return {"order.id": key} if topic in order_events() else {}


def parent_span_id(headers: Mapping[str, str]) -> str:
    """Return the id of the span in which an event was emitted; empty if its headers do not name it."""
    key, _, span_id = headers.get("tracestate", "").partition("=")
    return span_id if key == TRACESTATE_KEY else ""
