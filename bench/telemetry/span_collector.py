"""A collector of spans (OTLP over HTTP) that stores what it receives and does nothing else with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from common.settings import LOOPBACK


class SpanCollector:
    """A collector that runs. `endpoint` is the URL to send spans to."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._received: list[bytes] = []

    def add(self, body: bytes) -> None:
        """Store the body of a request."""
        self._received.append(body)

    def take(self) -> int:
        """Return how many spans have arrived since the last call."""
        received, self._received = self._received, []
        return sum(map(_count_spans, received))


@contextmanager
def span_collector() -> Iterator[SpanCollector]:
    """Run a collector on a free port of loopback while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.add(decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        collector = SpanCollector(f"http://{LOOPBACK}:{server.server_port}/v1/traces")
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield collector
        finally:
            server.shutdown()


def _count_spans(body: bytes) -> int:
    request = ExportTraceServiceRequest.FromString(body)
    return sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)
