"""Defines every Prometheus metric of the platform: name, labels and help text.

A process counts with the constants of this module and exposes them at `/metrics`:

* An HTTP server answers `GET /metrics` with `exposition()` as `CONTENT_TYPE`, and counts its responses:

      HTTP_REQUESTS.labels(service, route, method, status).inc()
      HTTP_SECONDS.labels(service, route).observe(perf_counter() - started)

* Another process calls `serve_operations` (`common.operations_server`) in its `main()`: a small server.

To add a metric, add a constant. Give it at least one label: a process then exposes only the metrics that it
sets. The name ends in the unit (`_seconds`, `_bytes`). Never use an id as a label, because each label value
stays in memory.
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
)

from common.multiprocess_metrics import multiprocess_registry

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The format of `exposition()`."""

REGISTRY = CollectorRegistry()
"""Contains all metrics, and the memory, CPU time and open files of the process."""

# Without this, each series has a second line with its creation time, which nothing reads.
disable_created_metrics()  # type: ignore[no-untyped-call]

for collector in (ProcessCollector, PlatformCollector, GCCollector):
    collector(registry=REGISTRY)

REQUEST_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
QUERY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
DELAY_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

MultiprocessMode = Literal["all", "livemax", "livemin", "livesum", "mostrecent"]
"""How prometheus_client combines a gauge of several processes (`common.multiprocess_metrics`)."""


def _counter(name: str, text: str, *labels: str) -> Counter:
    return Counter(name, text, labels, registry=REGISTRY)


def _gauge(name: str, text: str, *labels: str, multiprocess_mode: MultiprocessMode = "all") -> Gauge:
    return Gauge(name, text, labels, registry=REGISTRY, multiprocess_mode=multiprocess_mode)


def _histogram(name: str, text: str, *labels: str, buckets: tuple[float, ...]) -> Histogram:
    return Histogram(name, text, labels, buckets=buckets, registry=REGISTRY)


# Every HTTP server: serving, commerce. `service` is the commerce service of the route; empty in the API.
HTTP_REQUESTS = _counter("souk_http_requests", "Requests answered.", "service", "route", "method", "status")
HTTP_SECONDS = _histogram(
    "souk_http_request_seconds", "Time to the last byte; for event streams, to the response's head.",
    "service", "route", buckets=REQUEST_BUCKETS_S,
)  # fmt: skip

# Every process that watches the settings.
SETTING_VERSION = _gauge(
    "souk_setting_version",
    "Version of a setting that the process knows (of several processes the lowest); 0 is the default.",
    "setting",
    multiprocess_mode="livemin",
)

# serving
QUERY_SECONDS = _histogram(
    "souk_query_seconds", "Time of a query on ClickHouse.", "query", buckets=REQUEST_BUCKETS_S
)
LIVE_LISTENERS = _gauge("souk_live_listeners", "Open event streams.", "stream", multiprocess_mode="livesum")
PART_READY = _gauge(
    "souk_part_ready",
    "1 if a part answered when these metrics were scraped.",
    "part",
    multiprocess_mode="mostrecent",
)
FIGURES_AS_OF = _gauge(
    "souk_figures_as_of_seconds",
    "Event time up to which all figures are complete (Unix time), as read for the newest scrape.",
    "figures",
    multiprocess_mode="mostrecent",
)
RECOMMENDATIONS = _counter("souk_recommendations", "Recommendations answered.", "context", "strategy")
RECOMMENDATION_SOURCES = _counter(
    "souk_recommendation_sources",
    "Sources of recommendations that were asked: answered, or why they were passed over.",
    "source", "outcome",
)  # fmt: skip
RECOMMENDER_MODELS_REFUSED = _counter(
    "souk_recommender_models_refused",
    "Published models, rows of models and weights that a process read and does not use.",
    "reason",
)
RECOMMENDATION_RULE_EFFECTS = _counter(
    "souk_recommendation_rule_effects",
    "Products that a rule of the shop removed, moved, inserted or passed over in a list of recommendations.",
    "rule", "effect",
)  # fmt: skip
STRATEGY_FALLBACKS = _counter(
    "souk_recommendation_fallbacks",
    "Answers by the default strategy because this process does not offer the strategy of the arm.",
    "strategy",
)
ANSWERS_LOGGED = _counter(
    "souk_recommendation_answers_logged",
    "Answers for the log of recommendations: logged, dropped (Kafka is away or the queue is full).",
    "outcome",
)
RECOMMENDATION_CLICK_RATE = _gauge(
    "souk_recommendation_click_rate",
    "Clicked lists of recommendations per list: newest day, usual (median of the 28 days before); NaN if "
    "they can't be compared.",
    "days",
    multiprocess_mode="mostrecent",
)
RECOMMENDATION_COVERAGE = _gauge(
    "souk_recommendation_coverage",
    "Share of the catalogue that recommendations showed on a day: newest, usual (as of click rates).",
    "days",
    multiprocess_mode="mostrecent",
)
SEARCHES = _counter(
    "souk_searches",
    "Lists and suggestions asked of the search index: index (it answered), none (there is none).",
    "answered_by",
)
CACHE_REQUESTS = _counter(
    "souk_cache_requests",
    "Responses looked up in the cache: hit, stale, miss, error, shared (with a request at the same time).",
    "cache", "outcome",
)  # fmt: skip
CACHE_CHANGES = _counter(
    "souk_cache_changes", "Drops of cached responses by events: tags, everything.", "kind"
)
LAST_ANSWERS = _counter(
    "souk_last_answers",
    "Questions of dashboards while ClickHouse did not answer: last answer known, unknown.",
    "question", "outcome",
)  # fmt: skip
RECOMMENDATION_IMPRESSIONS = _counter(
    "souk_recommendation_impressions",
    "Products of recommendation lists that came into view, as POST /v1/events accepted them.",
    "surface",
)
RECOMMENDATION_CLICKS = _counter(
    "souk_recommendation_clicks", "Clicks on recommendations that POST /v1/events accepted.", "surface"
)
EVENTS_TAKEN = _counter(
    "souk_events_taken",
    "Browsing events of POST /v1/events: accepted, rejected, left_out.",
    "event",
    "outcome",
)

# serving.gateway
BREAKER_STATE = _gauge(
    "souk_circuit_breaker_state",
    "0: closed, 1: half-open, 2: open; of several processes, the largest.",
    "breaker",
    multiprocess_mode="livemax",
)
WATCHED_FILE_VALID = _gauge(
    "souk_watched_file_valid",
    "0 if a file that is watched is invalid or missing, so that its last valid content is in use.",
    "file",
    multiprocess_mode="livemin",
)
BREAKER_OPENED = _counter("souk_circuit_breaker_opened", "How often a circuit breaker opened.", "breaker")
REQUESTS_REFUSED = _counter(
    "souk_requests_refused", "Requests that the gateway refused: quota, load, time.", "traffic", "reason"
)
CONCURRENCY_LIMIT = _gauge(
    "souk_concurrency_limit",
    "Requests that the processes of a server accept at the same time.",
    "service",
    multiprocess_mode="livesum",
)
LOOP_LAG_SECONDS = _gauge(
    "souk_loop_lag_seconds",
    "How late the event loop of a server runs a timer; of several processes, the latest.",
    "service",
    multiprocess_mode="livemax",
)

# local.embedded_clickhouse
CLICKHOUSE_SECONDS = _histogram(
    "souk_clickhouse_seconds", "From request to answer.", "kind", "user", buckets=QUERY_BUCKETS_S
)
CLICKHOUSE_ROWS = _counter("souk_clickhouse_rows", "Rows inserted or answered.", "kind")
CLICKHOUSE_ERRORS = _counter("souk_clickhouse_errors", "Refused queries.", "name")
CLICKHOUSE_RUNNING = _gauge("souk_clickhouse_running", "Queries that run or are queued.", "pool")
CLICKHOUSE_ENDED_AT = _gauge(
    "souk_clickhouse_ended_at_seconds",
    "When ClickHouse last restarted because a query of this user did not end (Unix time).",
    "user",
)

# clickhouse.seller_sql
SELLER_QUERY_SECONDS = _histogram(
    "souk_seller_query_seconds",
    "Queries of sellers, from request to answer: answered, refused, over_limit, unavailable.",
    "outcome",
    buckets=QUERY_BUCKETS_S,
)
SELLER_QUERY_PROCESSES = _gauge(
    "souk_seller_query_processes", "Confined processes: warm without a seller, or with one.", "state"
)

# recommenders.training.worker
TRAININGS = _counter(
    "souk_trainings", "Trainings: trained, too_little, no_room in Redis, failed, stopped.", "outcome"
)
TRAINING_SECONDS = _gauge(
    "souk_training_seconds", "How long the newest training with this outcome took.", "outcome"
)
TRAINED_AT = _gauge("souk_trained_at_seconds", "When the newest model was trained (Unix time).", "what")
TRAINING_DRIFT = _gauge(
    "souk_training_drift_psi",
    "PSI of what is viewed since the newest training.",
    "dimension",
)

# clickhouse.rollup_worker
ROLLUP_SECONDS = _gauge("souk_rollup_seconds", "How long the newest refresh of a roll-up took.", "metric")
ROLLUP_REFRESHED_AT = _gauge(
    "souk_rollup_refreshed_at_seconds", "When a roll-up was last refreshed (Unix time).", "metric"
)

# search
SEARCH_DELAY = _histogram(
    "souk_search_delay_seconds",
    "Time from an event's arrival in Kafka until searches find its change; of each commit the oldest.",
    "source", buckets=DELAY_BUCKETS_S,
)  # fmt: skip
SEARCH_COMPLETE_AT = _gauge(
    "souk_search_complete_at_seconds", "When the search index last had every event (Unix time).", "index"
)
SEARCH_GENERATIONS = _counter("souk_search_generations", "Search indexes that were built anew.", "outcome")

AUDIT_DIFFERENCES = _gauge(
    "souk_audit_differences", "Differences that the newest audit found between two stores.", "comparison"
)
AUDIT_UNREAD = _gauge(
    "souk_audit_unread", "Subjects that the newest audit could not read from one of two stores.", "comparison"
)
AUDITED_AT = _gauge(
    "souk_audited_at_seconds", "When two stores were last compared (Unix time).", "comparison"
)
WHOLE_AUDIT_AT = _gauge(
    "souk_whole_audit_at_seconds",
    "When the newest audit of everything began, or the first nightly one if none has succeeded (Unix time).",
    "what",
)

# audit.nightly.worker
NIGHTLY_AUDITS = _counter(
    "souk_nightly_audits", "Nightly audits: finished, whatever they found; failed, stopped.", "outcome"
)

# jobs.reconciler
JOB_RUNNING = _gauge("souk_job_running", "1 if the job's tasks run.", "job_name")
JOB_RESTARTS = _gauge("souk_job_restarts", "Restarts of a job since it was submitted.", "job_name")
CHECKPOINT_SECONDS = _gauge("souk_checkpoint_seconds", "How long the newest checkpoint took.", "job_name")
CHECKPOINT_AGE_SECONDS = _gauge(
    "souk_checkpoint_age_seconds",
    "Time since the newest checkpoint was completed, or since the job was submitted if none was.",
    "job_name",
)
CHECKPOINTS_FAILED = _gauge(
    "souk_checkpoints_failed", "Checkpoints that failed since the job was submitted.", "job_name"
)
JOB_BACK_PRESSURE = _gauge(
    "souk_job_back_pressure_ratio",
    "Share of a second in which the most back-pressured operator of a job waits for the next one.",
    "job_name",
)
JOB_BUSY = _gauge(
    "souk_job_busy_ratio", "Share of a second in which a job's busiest operator works.", "job_name"
)
RECOMMENDATIONS_AS_OF = _gauge(
    "souk_recommendations_as_of_seconds",
    "Time of the newest event of each kind that job recommendations has read (Unix time).",
    "event",
)
FLINK_HEAP_BYTES = _gauge("souk_flink_heap_bytes", "Heap that a process of Flink uses.", "process")
JOB_SUBMISSIONS = _counter("souk_job_submissions", "Jobs submitted: taken, failed.", "job_name", "outcome")
MESSAGES_BEHIND = _gauge(
    "souk_messages_behind",
    "Messages in Kafka after the last one that a consumer group has committed; services have no `job_name`.",
    "group", "job_name",
)  # fmt: skip
DEAD_LETTERS = _gauge("souk_dead_letters", "Messages in a dead-letter topic.", "topic")
UNRESOLVED_DEAD_LETTERS = _gauge(
    "souk_dead_letters_unresolved", "Dead letters that were neither replayed nor discarded.", "topic"
)

# commerce: outbox, inbox and what its services do
OUTBOX_PUBLISHED = _counter("souk_outbox_published", "Events that a relay published.", "service", "event")
OUTBOX_WAITING = _gauge("souk_outbox_waiting", "Events in the outbox that are not published yet.", "service")
OUTBOX_AGE_SECONDS = _gauge(
    "souk_outbox_age_seconds", "Age of the oldest event in the outbox; 0 if the outbox is empty.", "service"
)
OUTBOX_DELAY_SECONDS = _histogram(
    "souk_outbox_delay_seconds", "From an event's commit to its acknowledgement by Kafka.", "service",
    buckets=DELAY_BUCKETS_S,
)  # fmt: skip
REQUESTS_WAITING = _gauge(
    "souk_requests_waiting", "Requests of a service to others that are not answered yet.", "service"
)
REQUESTS_AGE_SECONDS = _gauge(
    "souk_requests_age_seconds", "Age of the oldest request of a service that is not answered yet; 0: none.",
    "service",
)  # fmt: skip
INBOX_MESSAGES = _counter(
    "souk_inbox_messages", "Messages consumed: acted, ignored, repeated, retried, rejected.",
    "service", "event", "outcome",
)  # fmt: skip
INBOX_SECONDS = _histogram(
    "souk_inbox_seconds", "Time to act on a message.", "service", "event", buckets=REQUEST_BUCKETS_S
)
UNEXPECTED_ERRORS = _counter(
    "souk_unexpected_errors", "Messages dead-lettered after unexpected errors, and errors of workers.",
    "service", "event",
)  # fmt: skip
ORDERS = _counter("souk_orders", "Orders by status change: placed, confirmed, cancelled.", "status")
RESERVATIONS = _counter(
    "souk_reservations", "Stock reservations: reserved, refused, released, sold.", "outcome"
)
PAYMENTS = _counter("souk_payments", "Payments: captured, failed, refunded.", "outcome")
PROVIDER_SECONDS = _histogram(
    "souk_provider_seconds", "Response time of the payment provider.", "call", buckets=REQUEST_BUCKETS_S
)

# producers.simulator
SIMULATOR_EVENTS = _counter("souk_simulator_events", "Events sent, by way: kafka, intake.", "event", "way")
SIMULATOR_REQUEST_SECONDS = _histogram(
    "souk_simulator_request_seconds", "Time of the live shoppers' requests.", "endpoint",
    buckets=REQUEST_BUCKETS_S,
)  # fmt: skip
SIMULATOR_ERRORS = _counter("souk_simulator_errors", "Requests that failed, by endpoint.", "endpoint", "kind")


def exposition() -> bytes:
    """Return the metrics of this process, or of all processes of its server, in Prometheus' text format."""
    return generate_latest(multiprocess_registry() or REGISTRY)


def read_series(*metrics: Counter | Gauge) -> list[list[tuple[dict[str, str], float]]]:
    """Return labels and value of each series of these metrics, over all processes of the server.

    In multiprocess mode this reads files, so call it in a thread.
    """
    found = {
        family.name: [(sample.labels, sample.value) for sample in family.samples]
        for family in (multiprocess_registry() or REGISTRY).collect()
    }
    return [found.get(next(iter(metric.describe())).name, []) for metric in metrics]
