"""The overview of the platform: rates, samples, parts that do not answer, and what the page makes of it."""

import asyncio
import gc
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import metrics
from common.consumer_lag import Backlog
from common.metrics import exposition
from common.settings import Settings
from serving.ops.overview.parts import STAGES, Outages
from serving.ops.overview.processes import WANTED, WITH_READINESS
from serving.ops.overview.samples import RateMeter, Samples, read_samples, sample_name
from serving.ops.overview.schemas import PlatformOverview
from serving.ops.overview.service import overview
from serving.ops.overview.source import Reading, Source
from serving.web.admin.operations import FIGURES, REGIONS, operations_view
from serving.web.renderer import PageRenderer

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SCRIPT = "<script>alert(1)</script>"
SILENT: Reading[Any] = Reading(None, NOW - timedelta(minutes=9), NOW - timedelta(minutes=3), SCRIPT)
CHECKED = ("kafka", "registry", "flink", "clickhouse", "redis", "postgres", "commerce")
PAGE = """\
# HELP souk_orders_total Orders by status change: placed, confirmed, cancelled.
# TYPE souk_orders_total counter
souk_orders_total{status="placed"} 120.0
souk_orders_total{status="confirmed"} 90.0
souk_http_request_seconds_bucket{le="0.1",route="/v1/orders"} 7.0
process_resident_memory_bytes 1.5e+08
"""


def answered(value: Any) -> Reading[Any]:
    return Reading(value, NOW, None, "")


def made(
    readings: Mapping[str, Reading[Any]],
    processes: Mapping[str, Reading[Samples]],
    settings: Settings | None = None,
    readiness: Mapping[str, Reading[Mapping[str, str]]] | None = None,
) -> PlatformOverview:
    names = ("parts", "figures", "backlog", "versions", "redis_memory", "local_memory", "audits", "trainings",
             "alerts", "mails", "disk")  # fmt: skip
    return overview(
        settings or Settings(), dict.fromkeys(names, SILENT) | readings,
        dict.fromkeys(WANTED, SILENT) | processes, dict.fromkeys(WITH_READINESS, SILENT) | (readiness or {}),
        frozenset(), Outages(), RateMeter(), NOW, 1_000.0,
    )  # fmt: skip


def checks(**details: str) -> list[dict[str, Any]]:
    """All parts are ready, except those with a detail."""
    return [
        {
            "part": part,
            "needed": part != "commerce",
            "ready": part not in details,
            "detail": details.get(part, ""),
        }
        for part in CHECKED
    ]


def test_only_the_wanted_samples_of_a_page_are_read() -> None:
    found = read_samples(PAGE, WANTED["commerce"])

    assert found.total(metrics.ORDERS, status="placed") == 120
    assert found.by(metrics.ORDERS, "status") == {"placed": 120, "confirmed": 90}
    assert found.memory_bytes == 150_000_000
    assert found.total(metrics.OUTBOX_WAITING) is None
    assert {sample.name for sample in found.samples} == {"souk_orders_total", "process_resident_memory_bytes"}


def test_the_names_of_samples_are_those_that_a_process_exposes() -> None:
    metrics.ORDERS.labels("placed")
    metrics.OUTBOX_WAITING.labels("orders").set(3)
    names = {line.partition("{")[0] for line in exposition().decode().splitlines()}

    assert {sample_name(metrics.ORDERS), sample_name(metrics.OUTBOX_WAITING)} <= names


def test_a_rate_is_that_of_the_last_minute() -> None:
    meter = RateMeter()
    counts = [(0, 0), (60, 600), (70, 620), (120, 660)]

    assert [meter.rate("rows", count, at) for at, count in counts] == [
        None, 10, pytest.approx(620 / 70), pytest.approx(60 / 60),
    ]  # fmt: skip


def test_a_counter_that_begins_again_gives_no_negative_rate() -> None:
    meter = RateMeter()

    assert meter.rate("rows", 500, 0) is None
    assert meter.rate("rows", 3, 10) is None
    assert meter.rate("rows", 23, 20) == 2
    assert meter.rate("rows", None, 30) is None


@given(st.lists(st.tuples(st.floats(0.1, 100), st.integers(0, 50)), min_size=2, max_size=60))
def test_a_rate_is_within_what_was_counted_and_its_memory_is_bounded(steps: list[tuple[float, int]]) -> None:
    meter, now_s, count = RateMeter(), 0.0, 0
    for wait_s, more in steps:
        now_s, count = now_s + wait_s, count + more
        rate = meter.rate("rows", count, now_s)
        assert rate is None or 0 <= rate <= max(more / wait_s for wait_s, more in steps) + 1e-9
    assert len(meter._readings["rows"]) <= 2 + sum(1 for wait_s, _ in steps if wait_s < 60)


def test_a_source_that_hangs_is_asked_once_and_says_since_when() -> None:
    asked, released = 0, asyncio.Event()
    moments = [NOW + timedelta(seconds=number) for number in range(9)]

    async def read() -> str:
        nonlocal asked
        asked += 1
        await released.wait()
        return "here"

    async def scenario() -> list[Reading[str]]:
        source = Source("kafka", read, lambda: moments.pop(0), timeout_s=0.01)
        found = [await source.reading(), await source.reading()]
        released.set()
        found.append(await source.reading())
        await source.aclose()
        return found

    first, second, third = asyncio.run(scenario())
    assert (first.value, first.failing_since, asked) == (None, NOW, 1)
    assert second.failing_since == NOW
    assert "does not answer within 0.01 s" in second.problem
    assert (third.value, third.failing_since, third.problem) == ("here", None, "")


def test_a_reading_that_fails_when_nobody_waits_any_more_logs_no_error_of_asyncio() -> None:
    logged: list[str] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, error: logged.append(error["message"]))
        released = asyncio.Event()

        async def read() -> str:
            await released.wait()
            raise ConnectionError("refused")

        source = Source("kafka", read, lambda: NOW, timeout_s=0.01)
        await source.reading()
        released.set()
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(tasks)
        del source, tasks
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert logged == []


def test_a_source_that_is_late_for_once_keeps_its_value_and_one_that_fails_loses_it() -> None:
    answers: list[Any] = ["here", asyncio.Event(), ConnectionError("refused")]

    async def read() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, asyncio.Event):
            await asyncio.sleep(0.05)
        return str(answer)

    async def scenario() -> list[Reading[str]]:
        source = Source("jobs", read, lambda: NOW, timeout_s=0.02)
        found = [await source.reading(), await source.reading()]
        await asyncio.sleep(0.1)
        return [*found, await source.reading()]

    _, late, failed = asyncio.run(scenario())
    assert (late.value, late.failing_since) == ("here", NOW)
    assert (failed.value, failed.problem) == (None, "refused")


def test_a_source_that_fails_gives_one_line_of_bounded_length() -> None:
    async def read() -> str:
        raise ValueError("a\nlong " + "answer " * 200)

    found = asyncio.run(Source("prometheus", read, lambda: NOW, quiet=True).reading())
    assert found.value is None
    assert found.problem.startswith("a long answer")
    assert len(found.problem) == 300


def test_without_any_answer_everything_is_unknown_and_nothing_is_invented() -> None:
    found = made({}, {})

    assert not found["ready"]
    assert [stage["stage"] for stage in found["stages"]] == list(STAGES)
    figures = {name: value for stage in found["stages"] for name, value in stage["figures"].items()}
    assert set(figures.values()) == {None}
    for name in ("jobs", "job_versions", "consumer_groups", "dead_letters", "audits", "trainings", "mails"):
        assert found[name] is None  # type: ignore[literal-required]
    assert all(source["failing_since"] == SILENT.failing_since for source in found["sources"])


def test_a_part_that_is_not_ready_leaves_all_others_as_they_are() -> None:
    found = made({"parts": answered(checks(redis="does not answer")), "redis_memory": answered(10)}, {})
    parts = {part["part"]: part for stage in found["stages"] for part in stage["parts"]}

    assert (parts["redis"]["state"], parts["redis"]["not_ready_since"]) == ("not_ready", NOW)
    assert (parts["redis"]["memory_bytes"], parts["redis"]["memory_from"]) == (10, "redis")
    assert parts["kafka"]["state"] == "ready"


def test_flink_elsewhere_has_the_heap_that_the_jobs_export_and_here_the_memory_of_its_processes() -> None:
    page = (
        'souk_flink_heap_bytes{process="jobmanager"} 1e8\nsouk_flink_heap_bytes{process="taskmanager"} 2e8\n'
    )
    jobs = {"jobs": answered(read_samples(page, WANTED["jobs"]))}

    def memory(found: PlatformOverview) -> tuple[int | None, str | None]:
        (flink,) = [part for stage in found["stages"] for part in stage["parts"] if part["part"] == "flink"]
        return flink["memory_bytes"], flink["memory_from"]

    here = {"local_memory": answered({"jobmanager": 5, "taskmanager": 7})}
    assert memory(made({}, jobs)) == (300_000_000, "flink_heap")
    assert memory(made(here, jobs)) == (12, "this_machine")
    assert memory(made({}, {})) == (None, None)


def test_a_process_that_may_be_missing_is_off_until_it_was_seen() -> None:
    never: Reading[Any] = Reading(None, None, NOW, "refused")
    found = made({}, {}, readiness={"training": never, "audit": SILENT, "simulator": never})
    parts = {part["part"]: part["state"] for stage in found["stages"] for part in stage["parts"]}

    assert (parts["training"], parts["audit"]) == ("off", "not_ready")
    assert "simulator" not in parts


def test_a_process_that_exports_metrics_and_misses_something_is_not_ready() -> None:
    exports = {part: answered(read_samples(PAGE, WANTED["commerce"])) for part in WITH_READINESS}
    missing: dict[str, Reading[Mapping[str, str]]] = {part: answered({}) for part in WITH_READINESS}
    missing["jobs"] = answered({"flink": "refused", "jobs": "facts is not there"})
    found = made({}, exports, readiness=missing)
    parts = {part["part"]: part for stage in found["stages"] for part in stage["parts"]}

    assert (parts["jobs"]["state"], parts["jobs"]["not_ready_since"]) == ("not_ready", NOW)
    assert parts["jobs"]["detail"] == "flink: refused; jobs: facts is not there"
    assert parts["jobs"]["memory_bytes"] == 150_000_000
    assert {parts[name]["state"] for name in WITH_READINESS if name != "jobs"} == {"ready"}


def test_jobs_have_the_lag_of_their_live_version() -> None:
    page = 'souk_job_running{job_name="rankings"} 1.0\nsouk_job_running{job_name="facts"} 0.0\n'
    versions = [{"job": "rankings", "live": "1a2b", "next": None, "before": None, "messages_behind": None,
                 "problem": ""}]  # fmt: skip
    found = made(
        {
            "backlog": answered(
                Backlog({"rankings@1a2b": 7, "facts": 5, "rankings": 99}, {}, {"a_dlq": 2}, 9)
            ),
            "versions": answered(versions),
        },
        {"jobs": answered(read_samples(page, WANTED["jobs"]))},
    )

    jobs = {job["job"]: job for job in found["jobs"] or ()}
    assert (jobs["rankings"]["version"], jobs["rankings"]["messages_behind"]) == ("1a2b", 7)
    assert (jobs["facts"]["running"], jobs["facts"]["messages_behind"]) == (False, 5)
    assert found["dead_letters"] == [{"name": "a", "unresolved": 2}]
    assert found["consumer_groups"] is not None
    assert [group["messages_behind"] for group in found["consumer_groups"]] == [99, 7, 5]


def test_links_lead_to_the_addresses_for_browsers_or_else_to_those_for_the_api() -> None:
    internal = {"zipkin_url": "http://zipkin:9411/", "prometheus_url": "http://a:secret@prometheus:9090"}
    public = {
        "zipkin_public_url": "https://traces.example/",
        "prometheus_public_url": "https://prometheus.example/",
    }
    own = made({"alerts": answered([])}, {}, Settings.model_validate(internal))["links"]
    assert own["zipkin"] == "http://zipkin:9411/zipkin/"
    assert own["prometheus"] == "http://prometheus:9090"
    seen = made({"alerts": answered([])}, {}, Settings.model_validate(internal | public))["links"]
    assert seen["zipkin"] == "https://traces.example/zipkin/"
    assert seen["prometheus"] == "https://prometheus.example"


def poisoned() -> PlatformOverview:
    """An overview in which whatever others can write is a script."""
    page = f'souk_job_running{{job_name="{SCRIPT}"}} 0.0\n'
    alert = {
        "name": SCRIPT, "state": "firing", "severity": SCRIPT, "summary": SCRIPT, "action": SCRIPT,
        "since": NOW, "labels": {}, "runbook": f"javascript:{SCRIPT}",
    }  # fmt: skip
    version = {"job": "rankings", "live": SCRIPT, "next": SCRIPT, "before": None, "messages_behind": 1,
               "problem": SCRIPT}  # fmt: skip
    mails = {
        "kinds": [{"kind": SCRIPT, "mails": 1, "newest_at": NOW}],
        "overdue": 1,
        "alert_messages": {"waiting": 1, "sent": 0, "failed": 1, "skipped": 0, "oldest_waiting_at": NOW},
    }
    return made(
        {
            "parts": answered(checks(kafka=SCRIPT, flink=SCRIPT)),
            "backlog": answered(Backlog({SCRIPT: 60_000}, {}, {f"{SCRIPT}_dlq": 2}, 9)),
            "versions": answered([version]),
            "alerts": answered([alert]),
            "mails": answered(mails),
        },
        {"jobs": answered(read_samples(page, WANTED["jobs"]))},
    )


@pytest.fixture(scope="module")
def pages() -> PageRenderer:
    return PageRenderer(Settings())


def test_lists_mark_what_exceeds_the_limits_of_the_map(
    pages: PageRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"messages_behind": 5, "checkpoint_age_s": 6, "back_pressure": 0.25}
    for name, limit in limits.items():
        monkeypatch.setitem(FIGURES, name, replace(FIGURES[name], limit=limit))  # type: ignore[arg-type]
    page = """\
souk_job_running{job_name="calm"} 1.0
souk_job_running{job_name="late"} 1.0
souk_checkpoint_age_seconds{job_name="calm"} 6.0
souk_checkpoint_age_seconds{job_name="late"} 7.0
souk_job_back_pressure_ratio{job_name="calm"} 0.25
souk_job_back_pressure_ratio{job_name="late"} 0.5
"""
    found = made(
        {"backlog": answered(Backlog({"a": 5, "b": 6}, {}, {}, 9))},
        {"jobs": answered(read_samples(page, WANTED["jobs"]))},
    )

    view = operations_view(found, pages.formatter)
    lag, jobs = (pages.render(f"admin/_operations_{one}.html", **view).decode() for one in ("lag", "jobs"))
    assert re.findall(r' needs">([^<]+)<', lag) == ["6"]
    assert len(re.findall(r' needs">[^<]+<', jobs)) == 2


@pytest.mark.parametrize("found", [made({}, {}), poisoned()], ids=["silent", "poisoned"])
@pytest.mark.parametrize("region", REGIONS)
def test_what_others_write_is_text_on_the_page(
    pages: PageRenderer, found: PlatformOverview, region: str
) -> None:
    html = pages.render(
        f"admin/_operations_{region}.html", **operations_view(found, pages.formatter)
    ).decode()

    assert "<script" not in html
    assert not re.search(r'(href|src)="\s*javascript', html)
