"""Why something happens: the headers that join the events of one chain."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_UNSAMPLED = "00"
_LONGEST_ID = 255
"""Characters; what others call a chain travels with each of its events, and must leave room for them."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What every event of a chain carries on: the chain, the event before this one, the distributed trace."""

    correlation_id: str
    """What the chain is about: an order's id, for instance."""
    causation_id: str | None = None
    """The event that led here; None where a request did."""
    trace_id: str = ""
    """Of the W3C trace context, 32 hex digits; empty: the next event begins a trace of its own."""

    @classmethod
    def begun(cls, correlation_id: str, traceparent: str | None) -> Self:
        """The first link of a chain, in the trace that a request's `traceparent` names, if it names one."""
        return cls(correlation_id, None, trace_id_of(traceparent))

    @classmethod
    def caused_by(cls, event_id: str, headers: Mapping[str, str]) -> Self:
        """The link after an event, by its headers."""
        correlation = headers.get("correlation_id") or event_id
        return cls(correlation[:_LONGEST_ID], event_id, trace_id_of(headers.get("traceparent")))

    def headers(self, event_id: str) -> dict[str, str]:
        """The headers of an event (UUIDv7) that is the next link."""
        trace_id = self.trace_id or event_id.replace("-", "")
        headers = {
            "correlation_id": self.correlation_id,
            "traceparent": f"00-{trace_id}-{event_id[19:23]}{event_id[24:]}-{_UNSAMPLED}",
        }
        return headers if self.causation_id is None else {**headers, "causation_id": self.causation_id}


def trace_id_of(traceparent: str | None) -> str:
    """The trace that a `traceparent` (W3C trace context) names, 32 hex digits; empty if it names none."""
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    return found[1] if found else ""
