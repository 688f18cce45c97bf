"""The dashboard of the pipeline: is it fresh, what arrives, what waits, and how are the processes?"""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from common.settings import Settings
from dashboards.layout import Section, board
from dashboards.panels import FULL, HALF, Built, Column, figures, lines, metric, rows
from dashboards.queries import Queries
from schemas.events import all_events

BEHIND = Column("Behind", "s", warn_at=10, alarm_at=60)
COUNT = Column("{{group}}", "short")

AWAITED = (
    "product_viewed", "search_performed", "cart_changed", "recommendation_shown", "order_placed",
    "order_confirmed", "order_cancelled", "payment_captured", "stock_changed",
)  # fmt: skip
"""The events whose delay is watched: those that people wait for."""


def dashboard(settings: Settings) -> Dashboard:
    """The pipeline, from Kafka to the tables."""
    queries = Queries(settings)
    sections = [
        Section("Is it fresh?", _fresh(queries)),
        Section("What arrives", _arriving(queries)),
        Section("What waits (Prometheus)", _waiting()),
        Section("Processes (Prometheus)", _processes()),
    ]
    text = "How far every table is, what reaches it, what waits, and how the processes are."
    return board(settings, "souk-pipeline", "Souk · Pipeline", text, sections, "now-1h")


def _fresh(queries: Queries) -> list[Built]:
    return [
        figures(
            "Behind",
            "How far the slowest table is behind the clock. It grows, too, when nothing happens at all.",
            queries.one("pipeline/freshness"),
            {"behind_s": BEHIND},
        ),
        figures(
            "Stored",
            "What all tables hold, and the most parts of a partition: merges keep up while that is low.",
            queries.one("pipeline/storage"),
            {
                "row_count": Column("Rows", "short"),
                "bytes": Column("On disk", "bytes"),
                "most_parts": Column("Most parts", "short"),
            },
            FULL - 8,
        ),
        rows(
            "Tables",
            "Up to which event time each table of the jobs is complete, and what lies in it.",
            queries.one("pipeline/tables"),
            {
                "table_name": Column("Table"),
                "complete_to": Column("Complete to", "dateTimeAsIso"),
                "behind_s": Column("Behind", "s"),
                "row_count": Column("Rows", "short"),
                "part_count": Column("Parts", "short"),
                "bytes": Column("On disk", "bytes"),
            },
            FULL - 8,
        ),
        rows(
            "Migrations",
            "Which migrations this database has had.",
            queries.one("pipeline/migrations"),
            {"name": Column("Migration"), "applied_at": Column("Applied", "dateTimeAsIso")},
            8,
        ),
    ]


def _arriving(queries: Queries) -> list[Built]:
    return [
        lines(
            "Events per minute",
            "Rows that reached each fact table; an event that came twice counts twice until a merge.",
            queries.over("pipeline/events_per_minute", all_events()),
            {"events": Column("Events", "short")},
            by="event",
        ),
        lines(
            "From event to row",
            "99 of 100 live events are in their table after so many seconds. Replayed history is left out.",
            queries.over("pipeline/delay_per_minute", AWAITED),
            {"delay_s": Column("Delay", "s")},
            by="event",
            stacked=False,
        ),
    ]


def _waiting() -> list[Built]:
    return [
        metric(
            "Messages behind",
            "Messages in Kafka that a group has not finished with. Jobs finish once a minute.",
            "sum by (group) (souk_messages_behind)",
            COUNT,
        ),
        metric(
            "Dead letters",
            "Messages that could not be used and lie in a dead-letter topic: `./souk dlq list` says why.",
            "sum by (topic) (souk_dead_letters) > 0",
            Column("{{topic}}", "short"),
        ),
        metric(
            "Outbox",
            "Events that a service has committed and its relay has not yet put into Kafka.",
            "sum by (service) (souk_outbox_waiting)",
            Column("{{service}}", "short"),
        ),
        metric(
            "From commit to Kafka",
            "99 of 100 events of a service are in Kafka so long after their commit.",
            "histogram_quantile(0.99, sum by (le, service) (rate(souk_outbox_delay_seconds_bucket[5m])))",
            Column("{{service}}", "s"),
        ),
        metric(
            "Checkpoints",
            "How long the newest checkpoint of each Flink job took.",
            "max by (job_name) (souk_checkpoint_seconds)",
            Column("{{job_name}}", "s"),
        ),
        metric(
            "Consumed by the services",
            "Messages a second that the services acted on, ignored, saw again, tried again or refused.",
            "sum by (service, outcome) (rate(souk_inbox_messages_total[1m]))",
            Column("{{service}} {{outcome}}", "ops"),
        ),
    ]


def _processes() -> list[Built]:
    return [
        metric(
            "Parts that answer",
            "1 when a part answered the readiness check of the API, 0 when it did not.",
            "min by (part) (souk_part_ready)",
            Column("{{part}}", "bool_yes_no"),
        ),
        metric(
            "Memory",
            "Resident memory of each Python process.",
            "sum by (job) (process_resident_memory_bytes)",
            Column("{{job}}", "bytes"),
        ),
        metric(
            "Flink's heap",
            "Heap that Flink's two processes use.",
            "max by (process) (souk_flink_heap_bytes)",
            Column("{{process}}", "bytes"),
        ),
        metric(
            "Slowest requests",
            "99 of 100 requests of a route are answered within this time; streams of events have begun.",
            "histogram_quantile(0.99, sum by (le, route) (rate(souk_http_request_seconds_bucket[5m])))",
            Column("{{route}}", "s"),
        ),
        metric(
            "Failed requests",
            "Which part of each process' requests ended with a status of 500 or more.",
            'sum by (job) (rate(souk_http_requests_total{status=~"5.."}[5m]))'
            " / sum by (job) (rate(souk_http_requests_total[5m]))",
            Column("{{job}}", "percentunit"),
        ),
        metric(
            "Slowest queries",
            "99 of 100 queries of the API on ClickHouse are answered within this time.",
            "histogram_quantile(0.99, sum by (le, query) (rate(souk_query_seconds_bucket[5m])))",
            Column("{{query}}", "s"),
        ),
        metric(
            "Queries under way",
            "Queries that run or wait in ClickHouse' front, by who asks.",
            "sum by (pool) (souk_clickhouse_running)",
            Column("{{pool}}", "short"),
        ),
        metric(
            "Jobs",
            "1 while all tasks of a Flink job run.",
            "min by (job_name) (souk_job_running)",
            Column("{{job_name}}", "bool_yes_no"),
            HALF,
        ),
    ]
