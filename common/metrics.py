"""Every metric of the platform: its name, labels and help stand here and nowhere else.

A process counts with the constants of this module and shows them at `/metrics`:

* One that speaks HTTP answers `GET /metrics` with `exposition()` as `CONTENT_TYPE`, and counts its answers:

      HTTP_REQUESTS.labels(route, method, status).inc()
      HTTP_SECONDS.labels(route).observe(perf_counter() - started)

* One that does not calls `serve(settings.port("jobs"))` in its `main()`: a small server on loopback.

A consumer of a service counts `INBOX_MESSAGES.labels("orders", "payment_captured", "acted").inc()`, a relay
`OUTBOX_PUBLISHED.labels("orders", "order_placed").inc()`.

To add a metric, add a constant. It has a label at least, so that a process shows only what it counts itself;
its name says the unit (`_seconds`, `_bytes`); and no label takes an id, for each value stays in memory.
"""

from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
    start_http_server,
)

from common.errors import UserError
from common.settings import LOOPBACK
from common.shared_metrics import shared_registry

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""What `exposition()` is written in."""

REGISTRY = CollectorRegistry()
"""Holds all of them, with the memory, CPU time and open files of the process itself."""

# When each series began would be a line for each, and nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]

for collector in (ProcessCollector, PlatformCollector, GCCollector):
    collector(registry=REGISTRY)

REQUEST_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
QUERY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
DELAY_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


Together = Literal["all", "livesum", "mostrecent"]
"""What a gauge is that several processes of one server set (`common.shared_metrics`)."""


def _counter(name: str, text: str, *labels: str) -> Counter:
    return Counter(name, text, labels, registry=REGISTRY)


def _gauge(name: str, text: str, *labels: str, together: Together = "all") -> Gauge:
    return Gauge(name, text, labels, registry=REGISTRY, multiprocess_mode=together)


def _histogram(name: str, text: str, *labels: str, buckets: tuple[float, ...]) -> Histogram:
    return Histogram(name, text, labels, buckets=buckets, registry=REGISTRY)


# Every process that answers HTTP: serving, commerce.
HTTP_REQUESTS = _counter("souk_http_requests", "Requests answered.", "route", "method", "status")
HTTP_SECONDS = _histogram(
    "souk_http_request_seconds", "Time to the last byte; to its head where events are streamed.", "route",
    buckets=REQUEST_BUCKETS_S,
)  # fmt: skip

# serving
QUERY_SECONDS = _histogram(
    "souk_query_seconds", "Time of a query on ClickHouse.", "query", buckets=REQUEST_BUCKETS_S
)
LIVE_LISTENERS = _gauge("souk_live_listeners", "Open event streams.", "stream", together="livesum")
PART_READY = _gauge(
    "souk_part_ready",
    "1 if a part answered when these metrics were asked for.",
    "part",
    together="mostrecent",
)
RECOMMENDATIONS = _counter("souk_recommendations", "Recommendations answered.", "context", "strategy")
EVENTS_TAKEN = _counter(
    "souk_events_taken", "Browsing events of POST /v1/events: accepted, rejected.", "event", "outcome"
)

# clickhouse.front
CLICKHOUSE_SECONDS = _histogram(
    "souk_clickhouse_seconds", "From request to answer.", "kind", "user", buckets=QUERY_BUCKETS_S
)
CLICKHOUSE_ROWS = _counter("souk_clickhouse_rows", "Rows inserted or answered.", "kind")
CLICKHOUSE_ERRORS = _counter("souk_clickhouse_errors", "Refused queries.", "name")
CLICKHOUSE_RUNNING = _gauge("souk_clickhouse_running", "Queries that run or wait.", "pool")

# jobs.keep
JOB_RUNNING = _gauge("souk_job_running", "1 if the job's tasks run.", "job_name")
JOB_RESTARTS = _gauge("souk_job_restarts", "Restarts of a job since it was submitted.", "job_name")
CHECKPOINT_SECONDS = _gauge("souk_checkpoint_seconds", "How long the newest checkpoint took.", "job_name")
CHECKPOINT_AGE_SECONDS = _gauge(
    "souk_checkpoint_age_seconds", "Since the newest checkpoint was complete.", "job_name"
)
CHECKPOINTS_FAILED = _gauge(
    "souk_checkpoints_failed", "Checkpoints that failed since the job was submitted.", "job_name"
)
FLINK_HEAP_BYTES = _gauge("souk_flink_heap_bytes", "Heap that a process of Flink uses.", "process")
JOB_SUBMISSIONS = _counter("souk_job_submissions", "Jobs submitted: taken, failed.", "job_name", "outcome")
MESSAGES_BEHIND = _gauge(
    "souk_messages_behind", "Messages in Kafka after the last one that a group has finished with.", "group"
)
DEAD_LETTERS = _gauge("souk_dead_letters", "Messages that lie in a dead-letter topic.", "topic")

# commerce: outbox, inbox and what its services do
OUTBOX_PUBLISHED = _counter("souk_outbox_published", "Events that a relay published.", "service", "event")
OUTBOX_WAITING = _gauge("souk_outbox_waiting", "Events that wait in the outbox.", "service")
OUTBOX_DELAY_SECONDS = _histogram(
    "souk_outbox_delay_seconds", "From an event's commit to its place in Kafka.", "service",
    buckets=DELAY_BUCKETS_S,
)  # fmt: skip
INBOX_MESSAGES = _counter(
    "souk_inbox_messages", "Messages consumed: acted, ignored, repeated, retried, rejected.",
    "service", "event", "outcome",
)  # fmt: skip
INBOX_SECONDS = _histogram(
    "souk_inbox_seconds", "Time to act on a message.", "service", "event", buckets=REQUEST_BUCKETS_S
)
ORDERS = _counter("souk_orders", "Orders that took a step: placed, confirmed, cancelled.", "status")
RESERVATIONS = _counter(
    "souk_reservations", "Stock reservations: reserved, refused, released, sold.", "outcome"
)
PAYMENTS = _counter("souk_payments", "Payments: captured, failed, refunded.", "outcome")
PROVIDER_SECONDS = _histogram(
    "souk_provider_seconds", "Time of the payment provider's answers.", "call", buckets=REQUEST_BUCKETS_S
)

# producers.simulator
SIMULATOR_EVENTS = _counter("souk_simulator_events", "Events sent, by way: kafka, intake.", "event", "way")
SIMULATOR_REQUEST_SECONDS = _histogram(
    "souk_simulator_request_seconds", "Time of the live shoppers' requests.", "endpoint",
    buckets=REQUEST_BUCKETS_S,
)  # fmt: skip
SIMULATOR_ERRORS = _counter("souk_simulator_errors", "Requests that failed, by endpoint.", "endpoint", "kind")


def exposition() -> bytes:
    """All that this process has counted, with those it shares a server with, in Prometheus' text format."""
    return generate_latest(shared_registry() or REGISTRY)


def serve(port: int) -> None:
    """Answer `GET /metrics` on this port of loopback, in a thread of its own, until the process ends.

    Raises:
        UserError: the port is taken.
    """
    try:
        start_http_server(port, LOOPBACK, REGISTRY)
    except OSError as error:
        reason = f"port {port} can't be used for metrics ({error.strerror}): set SOUK_PORT_OFFSET"
        raise UserError(reason) from error
