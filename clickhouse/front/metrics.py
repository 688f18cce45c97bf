"""What the front counts about itself, for Prometheus."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Counters of one front, in a registry of their own, and the process's from the default one."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.seconds = Histogram(
            "souk_clickhouse_seconds", "From request to answer.", ["kind", "user"],
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self.rows = Counter(
            "souk_clickhouse_rows", "Rows inserted or answered.", ["kind"], registry=self._registry
        )
        self.errors = Counter("souk_clickhouse_errors", "Refused queries.", ["name"], registry=self._registry)
        self.running = Gauge(
            "souk_clickhouse_running", "Running and waiting.", ["pool"], registry=self._registry
        )

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return bytes(generate_latest(self._registry) + generate_latest(REGISTRY))
