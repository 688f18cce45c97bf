"""The spans that a test's own process records, in memory instead of at a collector."""

from collections.abc import Callable

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from common import tracing
from common.span_recorder import SpanRecorder

RecordedSpans = Callable[[], dict[str, ReadableSpan]]
"""Returns the spans that have ended, by name."""


def record_all_spans(monkeypatch: pytest.MonkeyPatch) -> RecordedSpans:
    """Record every trace until the test's end."""
    exporter = InMemorySpanExporter()
    recorder = SpanRecorder(exporter)
    monkeypatch.setattr(tracing, "_recorder", recorder)
    monkeypatch.setattr(tracing, "_threshold", 2**32)

    def spans() -> dict[str, ReadableSpan]:
        recorder._processor.force_flush()
        return {span.name: span for span in exporter.get_finished_spans()}

    return spans
