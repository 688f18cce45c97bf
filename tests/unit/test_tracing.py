"""Spans of recorded traces: which traces are recorded, and how spans are connected across processes."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import format_span_id, format_trace_id

from common import correlation, tracing
from common.ids import new_id
from common.request_tracing import request_span
from common.settings import ROOT, Settings
from common.span_recorder import SpanRecorder, make_exporter
from common.tracing import child_span, current_span, span_id_of_event, trace_span
from producers.kit.outbox.trace import Trace, parent_span_id
from tests.recorded_spans import RecordedSpans, record_all_spans

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> RecordedSpans:
    return record_all_spans(monkeypatch)


def parent_of(span: ReadableSpan) -> str:
    return format_span_id(span.parent.span_id) if span.parent else ""


def span_id(span: ReadableSpan) -> str:
    return format_span_id(span.context.span_id)


def scope_of(**headers: str) -> dict:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "POST", "headers": pairs, "path_params": {}}


OFF = """
import sys
from common.settings import Settings
from common.tracing import configure_tracing, trace_span, current_span, is_sampled
configure_tracing(Settings())
with trace_span("orders", "x", "server", "0af7651916cd43dd8448eb211c80319c") as span:
    print(span, current_span(), is_sampled("0af7651916cd43dd8448eb211c80319c"))
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""


def test_without_a_collector_there_are_no_spans_and_opentelemetry_is_not_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", OFF], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["None None False", "[]"]


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 1.0])
def test_the_share_of_recorded_traces_is_that_of_the_setting(
    monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setattr(tracing, "_recorder", object())
    monkeypatch.setattr(tracing, "_threshold", round(share * 2**32))
    ids = [new_id().replace("-", "") for _ in range(4_000)]

    assert sum(map(tracing.is_sampled, ids)) / len(ids) == pytest.approx(share, abs=0.035)


@given(st.text(st.sampled_from("0123456789abcdef"), min_size=32, max_size=32))
def test_all_processes_decide_the_same_and_a_larger_share_keeps_what_a_smaller_has(trace_id: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracing, "_recorder", object())
        decisions = []
        for share in (0.01, 0.1, 0.9):
            patch.setattr(tracing, "_threshold", round(share * 2**32))
            decisions.append(tracing.is_sampled(trace_id))
    assert decisions == sorted(decisions)


def test_a_span_has_its_trace_its_parent_its_service_and_its_attributes(recorded) -> None:
    with trace_span("orders", "first", "server", TRACE) as first, child_span("second", "client", {"a": 1}):
        assert current_span().parent_id == first.span_id
    spans = recorded()

    assert {format_trace_id(span.context.trace_id) for span in spans.values()} == {TRACE}
    assert parent_of(spans["first"]) == ""
    assert parent_of(spans["second"]) == span_id(spans["first"]) == first.span_id
    assert {span.resource.attributes["service.name"] for span in spans.values()} == {"orders"}
    assert spans["second"].attributes == {"a": 1}
    assert spans["first"].start_time <= spans["second"].start_time <= spans["second"].end_time
    assert current_span() is None


def test_a_background_task_is_no_part_of_a_request_that_has_ended(recorded) -> None:
    async def background(ended: asyncio.Event) -> None:
        with child_span("during"):
            pass
        await ended.wait()
        with child_span("after") as span:
            assert span is None

    async def request() -> None:
        ended = asyncio.Event()
        with trace_span("serving", "request", "server", TRACE):
            task = asyncio.create_task(background(ended))
            await asyncio.sleep(0)
        ended.set()
        await task

    asyncio.run(request())
    assert set(recorded()) == {"request", "during"}


def test_an_error_is_noted_and_raised(recorded) -> None:
    with suppress(ValueError), trace_span("orders", "broken", "server", TRACE):
        raise ValueError
    assert recorded()["broken"].attributes["error"] == "ValueError"
    assert not recorded()["broken"].status.is_ok


def test_a_request_without_a_caller_is_the_root_of_its_trace(recorded) -> None:
    scope = scope_of()
    correlation_id = correlation.begin(scope, keeps_trace=False)
    with request_span(scope, "serving"):
        headers = dict(correlation.outgoing_headers())
    [span] = recorded().values()

    assert parent_of(span) == ""
    assert headers["traceparent"] == f"00-{correlation_id.replace('-', '')}-{span_id(span)}-01"
    assert dict(scope["headers"])[b"traceparent"].decode() == headers["traceparent"]
    assert headers["x-correlation-id"] == correlation_id


def test_a_request_of_a_service_is_a_child_of_the_gateways(recorded) -> None:
    gateway = scope_of()
    correlation.begin(gateway, keeps_trace=False)
    with request_span(gateway, "serving"), child_span("POST orders", "client") as call:
        service = scope_of(**dict(correlation.outgoing_headers(call.traceparent)))
        correlation.begin(service, keeps_trace=True)
        service |= {
            "route": type("Route", (), {"path": "/v1/orders/{order_id}"}),
            "path_params": {"order_id": "o"},
        }
        with request_span(service, "commerce"):
            pass
    spans = recorded()

    assert parent_of(spans["POST /v1/orders/{order_id}"]) == span_id(spans["POST orders"])
    assert spans["POST /v1/orders/{order_id}"].attributes["order.id"] == "o"


def test_an_event_names_its_span_and_the_span_that_emitted_it(recorded) -> None:
    event_id = new_id()
    with trace_span("orders", "POST", "server", TRACE) as span:
        headers = Trace("order-1", None, TRACE).headers(event_id)
    outside = Trace("order-1", None, TRACE).headers(event_id)

    assert headers["traceparent"] == f"00-{TRACE}-{span_id_of_event(event_id)}-01"
    assert parent_span_id(headers) == span.span_id
    assert parent_span_id(outside) == ""
    assert recorded()


def test_an_event_of_another_trace_does_not_name_the_span(recorded) -> None:
    with trace_span("orders", "POST", "server", TRACE):
        headers = Trace("order-2", None, TRACE[::-1]).headers(new_id())

    assert parent_span_id(headers) == ""
    assert orjson.dumps(headers)
    assert recorded()


@contextmanager
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A server that accepts everything; its URL, and the paths and bodies that it got."""
    got: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        server.server_close()


def record_two(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = SpanRecorder(make_exporter(settings))
    monkeypatch.setattr(tracing, "_recorder", recorder)
    monkeypatch.setattr(tracing, "_threshold", 2**32)
    with trace_span("orders", "first", "server", TRACE) as first:
        pass
    with trace_span("payments", "second", "consumer", TRACE, first.span_id):
        pass
    recorder._processor.force_flush()


def test_spans_are_sent_in_otlp(monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as (url, got):
        record_two(Settings(trace_endpoint=f"{url}/v1/traces"), monkeypatch)
    [(path, body)] = got
    resources = ExportTraceServiceRequest.FromString(body).resource_spans
    names = {
        resource.resource.attributes[0].value.string_value: span
        for resource in resources
        for scope in resource.scope_spans
        for span in scope.spans
    }

    assert path == "/v1/traces"
    assert names["payments"].parent_span_id == names["orders"].span_id
    assert {span.trace_id.hex() for span in names.values()} == {TRACE}


def test_spans_are_sent_to_zipkin_each_with_its_service(monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as (url, got):
        record_two(Settings(zipkin=True, zipkin_url=url), monkeypatch)
    spans = {span["name"]: span for _, body in got for span in orjson.loads(body)}

    assert {path for path, _ in got} == {"/api/v2/spans"}
    assert {name: span["localEndpoint"]["serviceName"] for name, span in spans.items()} == {
        "first": "orders",
        "second": "payments",
    }
    assert spans["second"]["parentId"] == spans["first"]["id"]
