"""Sends spans to a collector with OpenTelemetry's SDK, in batches, from a thread of its own."""

from collections.abc import Sequence
from contextvars import ContextVar
from itertools import groupby

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from common.settings import Settings
from common.tracing import Span

QUEUE_SPANS = 8_192
"""Spans that wait for the collector. Further ones are dropped, so that a slow collector delays nothing."""

BATCH_SPANS = 512
EVERY_MS = 5_000
"""Milliseconds between two requests to the collector, each of which costs some CPU time."""

TIMEOUT_S = 5

_KINDS = {kind.name.lower(): kind for kind in SpanKind}


class SpanRecorder:
    """Records spans of several services in one process."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._processor = BatchSpanProcessor(
            exporter,
            max_queue_size=QUEUE_SPANS,
            schedule_delay_millis=EVERY_MS,
            max_export_batch_size=BATCH_SPANS,
        )
        self._ids = _ChosenIds()
        self._tracers: dict[str, Tracer] = {}

    def record(self, span: Span, ended_ns: int) -> None:
        """Send a span that has ended."""
        self._ids.choose(span)
        parent = SpanContext(
            int(span.trace_id, 16), int(span.parent_id or "0", 16), is_remote=True, trace_flags=_SAMPLED
        )
        recorded = self._tracer(span.service).start_span(
            span.name,
            set_span_in_context(NonRecordingSpan(parent)),
            _KINDS[span.kind],
            span.attributes,
            start_time=span.started_ns,
        )
        if "error" in span.attributes:
            recorded.set_status(Status(StatusCode.ERROR, str(span.attributes["error"])))
        recorded.end(max(ended_ns, span.started_ns))

    def _tracer(self, service: str) -> Tracer:
        if service not in self._tracers:
            # `common.tracing` has decided already which traces are recorded.
            provider = TracerProvider(
                ALWAYS_ON,
                Resource({SERVICE_NAME: service}),
                id_generator=self._ids,
            )
            provider.add_span_processor(self._processor)
            self._tracers[service] = provider.get_tracer("souk")
        return self._tracers[service]


_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class _ChosenIds(RandomIdGenerator):
    """Gives a span the ids that it has already, such as those that an event's headers name."""

    def __init__(self) -> None:
        self._span: ContextVar[Span] = ContextVar("recorded_span")

    def choose(self, span: Span) -> None:
        """Set the span whose ids are generated next in this task or thread."""
        self._span.set(span)

    def generate_trace_id(self) -> int:
        return int(self._span.get().trace_id, 16)

    def generate_span_id(self) -> int:
        return int(self._span.get().span_id, 16)


def make_exporter(settings: Settings) -> SpanExporter:
    """Return the exporter to the collector of the settings: OTLP over HTTP, or Zipkin."""
    if settings.trace_endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(settings.trace_endpoint, timeout=TIMEOUT_S)
    from opentelemetry.exporter.zipkin.json import ZipkinExporter

    return _ByService(ZipkinExporter(endpoint=f"{settings.zipkin_base}/api/v2/spans", timeout=TIMEOUT_S))


class _ByService(SpanExporter):
    """Passes on the spans of one service at a time: Zipkin's exporter takes the service of the first span."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the spans; the result is that of the last service that failed, if any did."""
        ordered = sorted(spans, key=_service_of)
        results = [self._exporter.export(list(of_one)) for _, of_one in groupby(ordered, _service_of)]
        failed = SpanExportResult.FAILURE in results
        return SpanExportResult.FAILURE if failed else SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Return True: each batch is sent at once."""
        return self._exporter.force_flush(timeout_millis)


def _service_of(span: ReadableSpan) -> str:
    return str(span.resource.attributes.get(SERVICE_NAME, ""))
