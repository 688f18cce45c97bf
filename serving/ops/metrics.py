"""What Prometheus scrapes at `/metrics`."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "souk_http_requests", "Requests answered", ("route", "method", "status"), registry=REGISTRY
)
REQUEST_SECONDS = Histogram(
    "souk_http_request_seconds", "Time to the last byte", ("route",), buckets=BUCKETS_S, registry=REGISTRY
)
QUERY_SECONDS = Histogram(
    "souk_query_seconds", "Time of a ClickHouse query", ("query",), buckets=BUCKETS_S, registry=REGISTRY
)
LISTENERS = Gauge("souk_live_listeners", "Open event streams", registry=REGISTRY)
