"""Every process of a started platform exports its Prometheus metrics."""

import json

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from jobs.registry import JOBS
from producers.registry import SERVICES
from tests.promql import known

pytestmark = pytest.mark.timeout(3_600)

PROCESSES = (
    "serving",
    "commerce",
    "clickhouse",
    "jobs",
    "rollups",
    "seller_sql",
    "search",
    "training",
    "audit",
)
PARTS = ("kafka", "registry", "flink", "clickhouse", "redis", "postgres")
EVERY_PROCESS = "process_resident_memory_bytes"


def scrape(platform, process):
    """Return metric → labels (a frozen set of pairs) → value, of one process."""
    url = f"http://127.0.0.1:{platform.settings.port(process)}/metrics"
    answer = httpx.get(url, trust_env=False, timeout=30).raise_for_status()
    assert answer.headers["content-type"].startswith("text/plain")
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def labels(found, metric, label):
    """Return value of one label → value of the metric."""
    return {dict(pairs)[label]: value for pairs, value in found.get(metric, {}).items()}


@pytest.mark.parametrize("process", PROCESSES)
def test_every_process_answers_with_metrics_that_are_written_down(platform, process):
    found = scrape(platform, process)
    assert found[EVERY_PROCESS]
    ours = {name for name in found if name.startswith("souk_")}
    assert ours
    assert ours <= known()


def test_the_api_shows_what_it_answered_and_which_parts_are_ready(platform, eventually):
    httpx.get(f"{platform.settings.serving}/health", trust_env=False).raise_for_status()
    answered = scrape(platform, "serving")["souk_http_requests_total"]
    health = {("service", ""), ("route", "/health"), ("method", "GET"), ("status", "200")}
    assert answered[frozenset(health)] >= 1

    def ready():
        states = labels(scrape(platform, "serving"), "souk_part_ready", "part")
        return set(PARTS) <= set(states) and all(states.values())

    eventually(ready)


def test_the_reconciler_exports_metrics_of_jobs_flink_lag_and_dead_letters(platform, eventually):
    def shown():
        found = scrape(platform, "jobs")
        running = labels(found, "souk_job_running", "job_name")
        heap = labels(found, "souk_flink_heap_bytes", "process")
        groups = labels(found, "souk_messages_behind", "group")
        return (
            running == dict.fromkeys(JOBS, 1.0)
            and set(labels(found, "souk_checkpoint_age_seconds", "job_name")) == set(JOBS)
            and all(heap.get(process, 0) > 0 for process in ("jobmanager", "taskmanager"))
            and {"souk_orders", "souk_inventory", "souk_payments"} <= set(groups)
            and "order_placed_dlq" in labels(found, "souk_dead_letters", "topic")
        )

    eventually(shown)


def test_the_status_says_how_far_each_job_and_each_service_that_reads_events_is_behind(platform):
    behind = json.loads(platform.souk("status", "--json", check=False).stdout)["messages_behind"]

    assert behind["jobs"].keys() == JOBS.keys()
    assert behind["services"].keys() == {name for name, service in SERVICES.items() if service.subscriptions}
    assert all(count >= 0 for counts in behind.values() for count in counts.values())
