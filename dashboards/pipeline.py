"""The dashboard of the pipeline: freshness, arriving events, backlogs and processes."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from common.settings import Settings
from dashboards.panels import (
    FULL,
    HALF,
    Column,
    PanelBuilder,
    Section,
    build_dashboard,
    metric_panel,
    stat_panel,
    table_panel,
    time_series_panel,
)
from dashboards.queries import PanelQueries
from schemas.events import all_events

BEHIND = Column("Behind", "s", yellow_from=10, red_from=60)
COUNT = Column("{{group}}", "short")

WATCHED_EVENTS = (
    "product_viewed", "search_performed", "cart_changed", "recommendation_shown", "order_placed",
    "order_confirmed", "order_cancelled", "payment_captured", "stock_changed",
)  # fmt: skip
"""The events whose delay the dashboard shows, because people wait for their effects."""


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard of the pipeline, from Kafka to the tables."""
    queries = PanelQueries(settings)
    sections = [
        Section("Freshness", _fresh(queries)),
        Section("Arriving events", _arriving(queries)),
        Section("Backlogs (Prometheus)", _backlogs()),
        Section("Processes (Prometheus)", _processes()),
    ]
    return build_dashboard(
        settings,
        "souk-pipeline",
        "Souk · Pipeline",
        "How fresh every table is, which events arrive, backlogs, and the state of the processes.",
        sections,
        "now-1h",
    )


def _fresh(queries: PanelQueries) -> list[PanelBuilder]:
    return [
        stat_panel(
            "Behind",
            "How far the slowest table is behind the clock. It also grows while no events happen.",
            queries.sql("pipeline/freshness"),
            {"behind_s": BEHIND},
        ),
        stat_panel(
            "Stored",
            "All rows, and the largest number of parts in a partition, which is low while merges keep up.",
            queries.sql("pipeline/storage"),
            {
                "row_count": Column("Rows", "short"),
                "bytes": Column("On disk", "bytes"),
                "most_parts": Column("Most parts", "short"),
            },
            FULL - 8,
        ),
        table_panel(
            "Tables",
            "The event time up to which each table of the jobs is complete, and its size.",
            queries.sql("pipeline/tables"),
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
        table_panel(
            "Migrations",
            "The migrations that were applied to this database.",
            queries.sql("pipeline/migrations"),
            {"name": Column("Migration"), "applied_at": Column("Applied", "dateTimeAsIso")},
            8,
        ),
    ]


def _arriving(queries: PanelQueries) -> list[PanelBuilder]:
    return [
        time_series_panel(
            "Events per minute",
            "Rows that reached each fact table; a duplicate counts until a merge.",
            queries.union_over("pipeline/events_per_minute", all_events()),
            {"events": Column("Events", "short")},
            by="event",
        ),
        time_series_panel(
            "From event to row",
            "99 of 100 live events are in their table within this time. Replayed history is left out.",
            queries.union_over("pipeline/delay_per_minute", WATCHED_EVENTS),
            {"delay_s": Column("Delay", "s")},
            by="event",
            stacked=False,
        ),
    ]


def _backlogs() -> list[PanelBuilder]:
    return [
        metric_panel(
            "Messages behind",
            "Messages in Kafka after a group's committed offsets. Jobs commit once a minute.",
            "sum by (group) (souk_messages_behind)",
            COUNT,
        ),
        metric_panel(
            "Dead letters",
            "Dead letters that nobody has replayed or discarded; `./souk dlq list` shows the reasons.",
            "sum by (topic) (souk_dead_letters_unresolved) > 0",
            Column("{{topic}}", "short"),
        ),
        metric_panel(
            "Outbox",
            "Events that a service has committed and its relay has not yet sent to Kafka.",
            "sum by (service) (souk_outbox_waiting)",
            Column("{{service}}", "short"),
        ),
        metric_panel(
            "Oldest event in the outbox",
            "For how long the oldest event of a service has waited to be sent to Kafka.",
            "max by (service) (souk_outbox_age_seconds)",
            Column("{{service}}", "s", yellow_from=5, red_from=20),
        ),
        metric_panel(
            "Back-pressure",
            "The share of its time that the most delayed operator of a job waits for the next one.",
            "max by (job_name) (souk_job_back_pressure_ratio)",
            Column("{{job_name}}", "percentunit", yellow_from=0.5, red_from=0.9),
        ),
        metric_panel(
            "From commit to Kafka",
            "99 of 100 events of a service are in Kafka within this time after their commit.",
            "histogram_quantile(0.99, sum by (le, service) (rate(souk_outbox_delay_seconds_bucket[5m])))",
            Column("{{service}}", "s"),
        ),
        metric_panel(
            "Checkpoints",
            "How long the newest checkpoint of each Flink job took.",
            "max by (job_name) (souk_checkpoint_seconds)",
            Column("{{job_name}}", "s"),
        ),
        metric_panel(
            "Consumed by the services",
            "Messages a second that the services processed, ignored, received again, retried or rejected.",
            "sum by (service, outcome) (rate(souk_inbox_messages_total[1m]))",
            Column("{{service}} {{outcome}}", "ops"),
        ),
    ]


def _processes() -> list[PanelBuilder]:
    return [
        metric_panel(
            "Ready parts",
            "1 if a part answered the API's readiness check, else 0.",
            "min by (part) (souk_part_ready)",
            Column("{{part}}", "bool_yes_no"),
        ),
        metric_panel(
            "Memory",
            "Resident memory of each Python process.",
            "sum by (job) (process_resident_memory_bytes)",
            Column("{{job}}", "bytes"),
        ),
        metric_panel(
            "Flink's heap",
            "Heap in use by Flink's two processes.",
            "max by (process) (souk_flink_heap_bytes)",
            Column("{{process}}", "bytes"),
        ),
        metric_panel(
            "Slowest requests",
            "99 of 100 requests of a route are answered within this time; a stream counts until it begins.",
            "histogram_quantile(0.99, sum by (le, route) (rate(souk_http_request_seconds_bucket[5m])))",
            Column("{{route}}", "s"),
        ),
        metric_panel(
            "Failed requests",
            "The share of each process' requests with a status of 500 or more.",
            'sum by (job) (rate(souk_http_requests_total{status=~"5.."}[5m]))'
            " / sum by (job) (rate(souk_http_requests_total[5m]))",
            Column("{{job}}", "percentunit"),
        ),
        metric_panel(
            "Cache hits",
            "The share of public responses that came from the cache, or were computed for another request.",
            'sum by (cache) (rate(souk_cache_requests_total{outcome=~"hit|stale|shared"}[5m]))'
            " / sum by (cache) (rate(souk_cache_requests_total[5m]))",
            Column("{{cache}}", "percentunit"),
        ),
        metric_panel(
            "Slowest queries",
            "99 of 100 queries of the API on ClickHouse are answered within this time.",
            "histogram_quantile(0.99, sum by (le, query) (rate(souk_query_seconds_bucket[5m])))",
            Column("{{query}}", "s"),
        ),
        metric_panel(
            "Running queries",
            "Queries that run or wait in ClickHouse's HTTP server, by pool.",
            "sum by (pool) (souk_clickhouse_running)",
            Column("{{pool}}", "short"),
        ),
        metric_panel(
            "Jobs",
            "1 while all tasks of a Flink job run.",
            "min by (job_name) (souk_job_running)",
            Column("{{job_name}}", "bool_yes_no"),
            HALF,
        ),
    ]
