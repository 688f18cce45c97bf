"""`/ops` and its JSON: figures equal their sources, and parts that are away hide nothing else."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from clickhouse.audit_runs.log import AuditEnd, AuditLog, AuditResult, AuditStart, FoundDifference
from clickhouse.client import connect
from common.consumer_lag import read_backlog
from common.kafka import KafkaCluster
from common.principal import Principal
from common.settings import LOOPBACK, ROOT, Settings
from local.state_directory import base_environment, settings_environment
from tests.integration.servers import await_true, terminated
from tests.integration.serving.conftest import Office
from tests.integration.serving.visits import ADMIN
from tests.principals import bearer

API = "/v1/ops/audits"
SCRIPT = "<script>document.title = 'broken'</script>"
NIGHT = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
END = AuditEnd("differ", "", NIGHT + timedelta(minutes=3), 2, 150, 2_000, 3, 1, 1, 612.5)


@pytest.fixture
def audits(shop: Settings) -> Iterator[None]:
    """Two audits: one that found differences and could not read a store, and one that runs."""
    log = AuditLog(shop)
    results = [
        AuditResult("kafka_vs_facts", "orders", "Kafka", "facts", 100, 1_500, 0, 1, ""),
        AuditResult("facts_vs_redis", SCRIPT, "facts", "Redis", 50, 500, 3, 0, ""),
        AuditResult("facts_vs_api", "sales", "facts", "API", 0, 0, 0, 0, "the API does not answer"),
    ]
    difference = FoundDifference(
        "facts_vs_redis", SCRIPT, "facts", "Redis", "product_id=lamp", SCRIPT, "7", ""
    )
    log.end(AuditStart("audit-1", NIGHT, "scheduled"), END, results, [difference])
    log.begin(AuditStart("audit-2", datetime.now(UTC), "requested", is_whole=False))
    yield
    with connect(shop, admin=True) as admin:
        for table in ("audits", "audit_results", "audit_differences"):
            admin.command(f"TRUNCATE TABLE {table}")


@pytest.fixture
def http(shop: Settings, audits: None) -> Iterator[httpx.Client]:  # noqa: ARG001
    headers = bearer(shop, ADMIN)
    with httpx.Client(base_url=shop.serving, trust_env=False, timeout=60, headers=headers) as client:
        yield client


def get(http: httpx.Client, path: str, **parameters: Any) -> Any:
    answer = http.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def parts_of(overview: Any) -> dict[str, Any]:
    return {part["part"]: part for stage in overview["stages"] for part in stage["parts"]}


def test_audits_have_the_figures_that_clickhouse_has(http: httpx.Client, shop: Settings) -> None:
    running, ended = get(http, API)["audits"]

    with connect(shop, admin=True) as admin:
        stored = admin.query(
            "SELECT comparisons, rows, figures, differences, explained, unread, peak_memory_mb "
            "FROM audits FINAL WHERE audit_id = 'audit-1'"
        ).first_row
    names = ("comparisons", "rows", "figures", "differences", "explained", "unread", "peak_memory_mb")
    assert tuple(ended[name] for name in names) == stored
    assert (ended["outcome"], ended["duration_s"]) == ("differ", 180.0)
    assert datetime.fromisoformat(ended["started_at"]) == NIGHT
    assert (running["outcome"], running["is_whole"], running["ended_at"]) == ("running", False, None)
    # An overview that another test has asked for is from before these audits.
    await_true(lambda: get(http, "/v1/ops/overview")["audits"] == [running, ended], "the audits")


def test_an_audit_that_runs_has_no_figures_yet(http: httpx.Client) -> None:
    page = http.get("/admin/audits").text
    running, ended = (row.split("</tr>")[0] for row in page.split("<tr>")[2:4])

    assert running.count('<td class="figure">–</td>') == 5
    assert '<td class="figure">–</td>' not in ended


def test_an_audit_shows_what_differs_first(http: httpx.Client) -> None:
    found = get(http, f"{API}/audit-1")

    assert [one["verdict"] for one in found["results"]] == ["differ", "not compared", "agree"]
    assert found["first_differences"] == [
        {
            "comparison": "facts_vs_redis", "subject": SCRIPT, "left_store": "facts", "right_store": "Redis",
            "key": "product_id=lamp", "field": SCRIPT, "left_value": "7", "right_value": "",
        }
    ]  # fmt: skip


def test_audits_come_in_pages_and_unknown_ones_are_problems(http: httpx.Client) -> None:
    first = get(http, API, limit=1)
    second = get(http, API, limit=1, cursor=first["next_cursor"])

    assert [one["audit_id"] for one in (*first["audits"], *second["audits"])] == ["audit-2", "audit-1"]
    assert second["next_cursor"] is None
    assert http.get(f"{API}/none").json()["type"] == "urn:souk:problem:unknown-audit"
    assert http.get(f"{API}?cursor=none").status_code == 422


def test_parts_that_are_away_are_shown_and_hide_no_other(http: httpx.Client) -> None:
    """Beside this API run ClickHouse and Redis, and neither Kafka nor commerce services."""

    def with_memory() -> Any:
        """Return the overview once the parts that run have said how much memory they use."""
        found = get(http, "/v1/ops/overview")
        parts = parts_of(found)
        return found if all(parts[name]["memory_bytes"] for name in ("redis", "serving")) else None

    found = await_true(with_memory, "the memory of Redis and the API")
    parts = parts_of(found)

    assert not found["ready"]
    # The service of sellers' queries runs if an earlier test has needed it.
    assert {name for name, part in parts.items() if part["state"] == "ready"} - {"seller_sql"} == {
        "clickhouse", "redis", "serving",
    }  # fmt: skip
    assert parts["kafka"]["not_ready_since"] is not None
    assert parts["redis"]["memory_bytes"] > 1_000_000
    assert parts["serving"]["memory_bytes"] > 50_000_000
    assert (found["consumer_groups"], found["dead_letters"], found["mails"]) == (None, None, None)
    assert found["trainings"] == []
    assert (found["monitoring"], found["alerts"]) == ("off", None)
    sources = {source["source"]: source for source in found["sources"]}
    assert not sources["kafka"]["answers"]
    assert sources["kafka"]["failing_since"]
    assert sources["audits"]["answers"]


def test_a_process_that_exports_metrics_is_only_ready_if_it_says_so(
    http: httpx.Client, shop: Settings
) -> None:
    """The roll-ups run beside the API: first with an address of ClickHouse where nothing answers."""
    away = shop.model_copy(update={"clickhouse_url": f"http://{LOOPBACK}:{shop.port('zipkin')}"})

    def state(reason: str) -> Any:
        """Return the state of the roll-ups once the API has their metrics and this detail."""
        part = parts_of(get(http, "/v1/ops/overview"))["rollups"]
        return part["state"] if part["memory_from"] == "metrics" and reason in part["detail"] else None

    with running_rollups(away):
        reason = f"clickhouse: ClickHouse at {away.clickhouse} does not answer"
        assert await_true(lambda: state(reason), "that they are not ready") == "not_ready"
    with running_rollups(shop):
        assert await_true(lambda: state("does its work"), "that they are ready") == "ready"


def running_rollups(settings: Settings) -> AbstractContextManager[object]:
    environment = base_environment() | settings_environment(settings)
    command = [sys.executable, "-m", "clickhouse.rollup_worker"]
    return terminated(subprocess.Popen(command, cwd=ROOT, env=environment))


def test_lag_and_dead_letters_are_those_of_kafka(office: Office) -> None:
    """Kafka, PostgreSQL and the commerce services run here, and neither ClickHouse nor Redis."""
    cluster = KafkaCluster(office.settings.kafka)

    def agreeing() -> dict[str, Any] | None:
        """Return the overview once Kafka answered in time, and has the groups that starting services join."""
        found, backlog = get(http, "/v1/ops/overview"), read_backlog(cluster)
        if found["consumer_groups"] is None or found["dead_letters"] is None:
            return None
        letters = {topic.removesuffix("_dlq") for topic, count in backlog.unresolved.items() if count}
        groups = {one["group"] for one in found["consumer_groups"]}
        shown = (groups, {one["name"] for one in found["dead_letters"]})
        return found if shown == (set(backlog.behind), letters) else None

    with office.http(ADMIN) as http:
        found = await_true(agreeing, "an overview that agrees with Kafka")
    parts = parts_of(found)
    assert (parts["kafka"]["state"], parts["postgres"]["state"]) == ("ready", "ready")
    assert parts["clickhouse"]["state"] == "not_ready"
    assert found["audits"] is None
    assert found["mails"]["alert_messages"]["failed"] >= 0


@pytest.mark.parametrize("path", ["/ops", "/ops/events", "/v1/ops/overview", API, "/admin/audits"])
def test_nobody_but_administrators_gets_in(shop: Settings, path: str) -> None:
    owner = Principal("owner-1", frozenset({"shopper", "seller"}), sellers={"ana": "owner"}, session_id="s")
    with httpx.Client(base_url=shop.serving, trust_env=False, timeout=60) as client:
        assert client.get(path).status_code == 401
        assert client.get(path, headers=bearer(shop, owner)).status_code == 403


@pytest.mark.browser
def test_the_page_follows_the_platform_without_errors(page: Page, audits: None) -> None:  # noqa: ARG001
    page.goto("/ops")

    expect(page.get_by_text("Live: everything on this page changes by itself.")).to_be_visible()
    expect(page.get_by_role("heading", name="Operations")).to_be_visible()
    shown = page.locator("#live-fresh time")
    before = shown.get_attribute("datetime")
    expect(shown).not_to_have_attribute("datetime", before or "")
    expect(page.locator("#live-map")).to_contain_text("kafka")
    expect(page.locator("#live-audits")).to_contain_text("3 differences")
    page.locator("#live-audits").get_by_role("link", name="Differences").click()
    expect(page.get_by_role("heading", name="Audit of")).to_be_visible()
    expect(page.get_by_text("product_id=lamp")).to_be_visible()
    assert page.title() != "broken"


@pytest.mark.browser
def test_the_page_fits_every_width_and_needs_no_script(
    browser: Browser,
    shop: Settings,
    audits: None,  # noqa: ARG001
) -> None:
    context = browser.new_context(
        base_url=shop.serving, java_script_enabled=False, extra_http_headers=bearer(shop, ADMIN)
    )
    page = context.new_page()
    for path in ("/ops", "/admin/audits", "/admin/audits/audit-1"):
        page.goto(path)
        for width in (320, 390, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
    page.goto("/ops")
    expect(page.get_by_text("This page shows one moment.")).to_be_visible()
