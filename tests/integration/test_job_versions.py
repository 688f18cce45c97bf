"""The versions of a job in Redis and Kafka. Only Flink is replaced: it runs what a test says."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from redis import Redis

from common.errors import PartUnavailable
from common.job_versions import versioned_name
from common.settings import Settings
from jobs import version_controller
from jobs.checkpoints import job_checkpoints
from jobs.flink_client import INSTALLATION, FlinkClient, installation_id
from jobs.registry import TOPICS_BY_JOB, VERSIONED_PLANS
from jobs.version_controller import (
    DELETING,
    NO_MEMORY,
    NO_PLAN,
    NO_SLOT,
    NOT_ACCEPTED,
    OTHER_CODE,
    FlinkView,
    VersionController,
)
from jobs.version_keys import RowDifference, differences
from jobs.versions import (
    JobVersions,
    VersionState,
    defined_version,
    live_names,
    measured,
    proposed,
    store_plan,
    stored_plan,
)
from local.parts import redis as local_redis
from tests.integration.conftest import Kafka
from tests.integration.servers import running
from tests.job_manager import JobManager, serving_jobs
from tests.ports import free_offset

OLD = "01d01d01"
COMPLETED = {"latest_ack_timestamp": 5, "end_to_end_duration": 1}


@pytest.fixture
def job_manager() -> Iterator[JobManager]:
    with serving_jobs() as server:
        yield server


@pytest.fixture
def installation(tmp_path: Path, kafka: Kafka, job_manager: JobManager) -> Settings:
    return Settings(
        home=tmp_path, port_offset=free_offset(), kafka_bootstrap=kafka.bootstrap, flink_url=job_manager.url
    )


@pytest.fixture
def redis(installation: Settings) -> Iterator["Redis[str]"]:
    with (
        running(local_redis.part(installation), installation),
        Redis.from_url(installation.redis, decode_responses=True) as client,
    ):
        yield client


@pytest.fixture
def controller(installation: Settings, redis: "Redis[str]") -> Iterator[VersionController]:
    with FlinkClient(installation.flink) as flink:
        controller = VersionController(installation, redis, flink)
        controller.view = FlinkView(())
        yield controller


def changed(installation: Settings, redis: "Redis[str]", job: str, **values: Any) -> VersionState:
    return JobVersions(installation, redis).change(job, lambda _: VersionState(**values))


def state(installation: Settings, redis: "Redis[str]", job: str = "rankings") -> VersionState:
    return JobVersions(installation, redis).state(job)


def old_version(installation: Settings, redis: "Redis[str]", job: str = "rankings") -> str:
    """Make another version than that of this checkout live; return its name in Flink."""
    plan = VERSIONED_PLANS[job](installation, OLD)
    store_plan(installation, plan)
    changed(installation, redis, job, live=OLD)
    return plan.name


def defined_name(job: str, installation: Settings) -> str:
    return versioned_name(job, defined_version(job, installation))


def test_in_a_new_platform_the_versions_of_the_checkout_are_live(
    installation: Settings, controller: VersionController
) -> None:
    controller.choose()

    names = {job: defined_name(job, installation) for job in VERSIONED_PLANS}
    assert live_names(installation) == {"facts": "facts", "signals": "signals", **names}
    assert set(controller.plans) == {"facts", "signals", *names.values()}
    assert controller.tolerated == set()


def test_a_changed_definition_is_switched_to_when_it_has_written_all_events(
    installation: Settings, redis: "Redis[str]", controller: VersionController, job_manager: JobManager,
    kafka: Kafka,
) -> None:  # fmt: skip
    old = old_version(installation, redis)
    controller.choose()
    new = defined_name("rankings", installation)
    assert {old, new} <= set(controller.plans)

    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for made in admin.create_topics([NewTopic("order_confirmed", 1, 1)]).values():
        made.exception()  # it may exist
    kafka.send("order_confirmed", [b"an order"])
    job_manager.runs("a1", new, {INSTALLATION: installation_id(installation)})
    job_manager.has_checkpoints("a1", 0, COMPLETED)
    controller.view = FlinkView({old, new})
    controller.advance()
    waiting = state(installation, redis)
    assert (waiting.live, waiting.is_complete) == (OLD, False)
    assert waiting.behind is not None
    assert waiting.behind > 0
    assert job_manager.checkpointed == ["/jobs/a1/checkpoints"]

    commit_all(kafka, "rankings", new)
    controller.advance()

    done = state(installation, redis)
    assert (done.live, done.before, done.next) == (new.partition("@")[2], OLD, "")
    controller.choose()
    assert {old, new} <= set(controller.plans)
    assert live_names(installation)["rankings"] == new


def test_offsets_of_an_earlier_attempt_do_not_make_a_version_complete(
    installation: Settings, redis: "Redis[str]", controller: VersionController, job_manager: JobManager,
    kafka: Kafka,
) -> None:  # fmt: skip
    old_version(installation, redis, "recommendations")
    controller.choose()
    new = defined_name("recommendations", installation)
    commit_all(kafka, "recommendations", new)
    job_manager.runs("a1", new, {INSTALLATION: installation_id(installation)})
    job_manager.has_checkpoints("a1", 0, None)
    controller.view = FlinkView({new})

    controller.advance()
    assert state(installation, redis, "recommendations").live == OLD

    job_manager.has_checkpoints("a1", 0, COMPLETED)
    controller.advance()
    assert state(installation, redis, "recommendations").before == OLD


def test_a_version_that_somebody_asked_for_is_not_switched_to_by_itself(
    installation: Settings, redis: "Redis[str]", controller: VersionController, job_manager: JobManager,
    kafka: Kafka,
) -> None:  # fmt: skip
    controller.choose()
    other = VERSIONED_PLANS["recommendations"](installation, OLD)
    store_plan(installation, other)
    live = defined_version("recommendations", installation)
    changed(installation, redis, "recommendations", live=live, next=OLD)
    controller.choose()
    assert other.name in controller.plans
    commit_all(kafka, "recommendations", other.name)
    job_manager.runs("a1", other.name, {INSTALLATION: installation_id(installation)})
    job_manager.has_checkpoints("a1", 0, COMPLETED)
    controller.view = FlinkView({other.name})

    controller.advance()

    done = state(installation, redis, "recommendations")
    assert (done.live, done.next, done.is_complete) == (live, OLD, True)


def test_without_a_free_slot_a_version_waits_and_the_one_before_is_dropped(
    installation: Settings, redis: "Redis[str]", controller: VersionController, job_manager: JobManager
) -> None:
    old_version(installation, redis)
    live = defined_version("recommendations", installation)
    before = VERSIONED_PLANS["recommendations"](installation, "be4be4be")
    store_plan(installation, before)
    changed(installation, redis, "recommendations", live=live, before="be4be4be")
    new = defined_name("rankings", installation)

    controller.choose()
    assert new in controller.plans
    assert before.name not in controller.plans
    assert list(state(installation, redis, "recommendations").dropped) == ["be4be4be"]

    job_manager.has_slots(4, 0)
    controller.choose()
    assert new not in controller.plans
    assert state(installation, redis).problem == NO_SLOT

    job_manager.has_slots(5, 1)
    controller.choose()
    assert new in controller.plans
    assert state(installation, redis).problem == ""


def test_keys_without_a_prefix_stay_live_until_the_first_version_is_complete(
    installation: Settings, redis: "Redis[str]", controller: VersionController
) -> None:
    redis.zadd("popular_products", {"lamp": 1.0})

    controller.choose()

    assert live_names(installation)["rankings"] == "rankings"
    assert controller.tolerated == {"rankings"}
    assert state(installation, redis).next == defined_version("rankings", installation)


def test_a_job_whose_keys_were_lost_starts_again_without_a_checkpoint(
    installation: Settings, redis: "Redis[str]", controller: VersionController
) -> None:
    controller.choose()
    name = defined_name("rankings", installation)
    assert name in controller.plans
    controller.view = FlinkView({name})
    controller.choose()
    checkpoints = job_checkpoints(installation, name)
    checkpoints.mkdir(parents=True)

    redis.flushdb()

    controller.choose()
    assert name not in controller.plans
    controller.view = FlinkView(())
    controller.choose()
    assert name in controller.plans
    assert not checkpoints.exists()


def test_everything_of_a_dropped_version_is_deleted_after_it_has_ended(
    installation: Settings, redis: "Redis[str]", controller: VersionController,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(version_controller, "DELETE_AFTER_S", -1.0)
    controller.choose()
    plan = VERSIONED_PLANS["rankings"](installation, OLD)
    store_plan(installation, plan)
    checkpoints = job_checkpoints(installation, plan.name)
    checkpoints.mkdir(parents=True)
    live = defined_version("rankings", installation)
    changed(installation, redis, "rankings", live=live, dropped={OLD: 1.0, "unversioned": 1.0})
    redis.zadd(f"{OLD}:popular_products", {"lamp": 1.0})
    redis.zadd("trending_products", {"lamp": 1.0})
    redis.zadd(f"{live}:popular_products", {"lamp": 1.0})

    controller.view = FlinkView({plan.name})
    controller.delete_dropped()
    assert redis.exists(f"{OLD}:popular_products")
    assert not redis.exists("trending_products")

    controller.view = FlinkView(())
    controller.delete_dropped()
    assert not redis.exists(f"{OLD}:popular_products")
    assert redis.exists(f"{live}:popular_products")
    assert not checkpoints.exists()
    assert stored_plan(installation, plan.name) is None
    assert state(installation, redis).dropped == {}


def test_while_redis_does_not_answer_the_last_choice_stays(
    installation: Settings, redis: "Redis[str]", controller: VersionController
) -> None:
    with FlinkClient(installation.flink) as flink, Redis.from_url("redis://127.0.0.1:9") as nowhere:
        lost = VersionController(installation, nowhere, flink)
        with pytest.raises(PartUnavailable, match="Redis"):
            lost.choose()
    assert set(lost.plans) == {"facts", "signals"}
    assert lost.tolerated is None

    controller.choose()
    chosen = set(controller.plans)
    redis.shutdown(nosave=True)
    with pytest.raises(PartUnavailable, match="Redis"):
        controller.choose()
    assert set(controller.plans) == chosen


def test_after_an_update_both_jobs_are_built_at_once_if_none_of_theirs_runs(
    installation: Settings, redis: "Redis[str]", controller: VersionController
) -> None:
    redis.zadd("popular_products", {"lamp": 1.0})
    redis.hset("recommendations_as_of", "product_viewed", 1)

    controller.choose()

    assert set(controller.plans) == {
        *("facts", "signals"),
        *(defined_name(job, installation) for job in VERSIONED_PLANS),
    }


def test_a_killed_reconciler_does_not_forget_that_keys_were_lost(
    installation: Settings, redis: "Redis[str]", controller: VersionController
) -> None:
    name = defined_name("rankings", installation)
    checkpoints = job_checkpoints(installation, name)
    checkpoints.mkdir(parents=True)
    controller.view = FlinkView({name})
    controller.choose()
    assert name not in controller.plans

    with FlinkClient(installation.flink) as flink:
        next_process = VersionController(installation, redis, flink)
        next_process.choose()
        assert name not in next_process.plans
        next_process.view = FlinkView(())
        next_process.choose()

        assert name in next_process.plans
        assert not checkpoints.exists()


def test_a_version_that_a_lost_redis_knew_is_deleted(
    installation: Settings, redis: "Redis[str]", controller: VersionController
) -> None:
    store_plan(installation, VERSIONED_PLANS["rankings"](installation, OLD))

    controller.choose()

    assert list(state(installation, redis).dropped) == [OLD]


@pytest.mark.parametrize(
    ("reason", "problem"),
    [
        ("deleted first", DELETING),
        ("no plan", NO_PLAN),
        ("other code", OTHER_CODE),
        ("not accepted", NOT_ACCEPTED),
        ("memory", NO_MEMORY),
    ],
)
def test_a_version_says_why_it_does_not_run(
    installation: Settings, redis: "Redis[str]", controller: VersionController, reason: str, problem: str
) -> None:
    controller.choose()
    plan = VERSIONED_PLANS["recommendations"](installation, OLD)
    if reason != "no plan":
        store_plan(installation, replace(plan, function_code="other") if reason == "other code" else plan)
    live = defined_version("recommendations", installation)
    dropped = {OLD: time.time()} if reason == "deleted first" else {}
    changed(installation, redis, "recommendations", live=live, next=OLD, dropped=dropped)
    if reason == "not accepted":
        controller.view = FlinkView((), failures={plan.name: 2})
    if reason == "memory":
        redis.config_set("maxmemory", 2 * redis.info("memory")["used_memory"])

    controller.choose()

    assert state(installation, redis, "recommendations").problem == problem
    assert (plan.name in controller.plans) == (reason == "not accepted")
    assert controller.unfinished == {plan.name}


def test_a_build_is_given_up_before_redis_is_full(
    installation: Settings, redis: "Redis[str]", controller: VersionController
) -> None:
    old_version(installation, redis)
    controller.choose()
    new = defined_name("rankings", installation)
    assert new in controller.plans
    controller.view = FlinkView({new})
    redis.config_set("maxmemory", int(redis.info("memory")["used_memory"] * 1.05))

    controller.choose()
    assert new not in controller.plans
    assert list(state(installation, redis).dropped) == [new.partition("@")[2]]

    redis.config_set("maxmemory", 0)
    controller.choose()
    assert new not in controller.plans


def test_a_build_that_lost_its_checkpoint_is_deleted_and_starts_over(
    installation: Settings, redis: "Redis[str]", controller: VersionController,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(version_controller, "DELETE_AFTER_S", -1.0)
    old_version(installation, redis)
    controller.choose()
    new = defined_name("rankings", installation)
    version = new.partition("@")[2]
    redis.zadd(f"{version}:popular_products", {"lamp": 1.0})
    JobVersions(installation, redis).change(
        "rankings", lambda state: measured(state, version, 3, is_complete=False)
    )

    controller.choose()
    assert new not in controller.plans
    controller.delete_dropped()
    controller.choose()

    assert new in controller.plans
    assert not redis.exists(f"{version}:popular_products")


def test_a_changed_checkout_is_not_proposed_by_a_restart(installation: Settings, redis: "Redis[str]") -> None:
    old = old_version(installation, redis)
    old_version(installation, redis, "recommendations")

    with FlinkClient(installation.flink) as flink:
        restarted = VersionController(installation, redis, flink, trusts_checkout=False)
        restarted.view = FlinkView(())
        restarted.choose()

    assert old in restarted.plans
    assert state(installation, redis).next == ""


def test_a_user_who_replaces_a_build_while_it_is_measured_is_not_overruled(
    installation: Settings, redis: "Redis[str]", controller: VersionController
) -> None:
    old_version(installation, redis)
    controller.choose()
    version = defined_version("rankings", installation)
    versions = JobVersions(installation, redis)
    versions.change("rankings", lambda state: measured(state, version, 0, is_complete=True))
    versions.change("rankings", lambda state: proposed(state, "0ther000"))

    controller.advance()

    assert (state(installation, redis).live, state(installation, redis).next) == (OLD, "0ther000")


def test_the_rows_of_two_versions_are_compared(installation: Settings, redis: "Redis[str]") -> None:
    one, two = (VERSIONED_PLANS["rankings"](installation, version) for version in ("one", "two"))
    redis.zadd("one:popular_products", {"lamp": 1.0, "rug": 3.0, "vase": 5.0})
    redis.zadd("two:popular_products", {"lamp": 2.0, "vase": 5.0})
    redis.zadd("two:trending_products", {"lamp": 1.0})

    assert differences(redis, one, two) == [
        RowDifference("popular_products", 3, 2, 2),
        RowDifference("trending_products", 0, 1, 0),
    ]

    recommended = [VERSIONED_PLANS["recommendations"](installation, version) for version in ("one", "two")]
    redis.hset("one:product:lamp", mapping={"interest": 1.0, "stock": "{}"})
    redis.hset("two:product:lamp", mapping={"interest": 1.0 + 1e-12, "stock": "none"})
    found = {each.output: each for each in differences(redis, *recommended)}
    outputs = "product_offers, product_stock, product_interest"
    assert found[outputs] == RowDifference(outputs, 2, 2, 1)


def commit_all(kafka: Kafka, job: str, group: str) -> None:
    """Commit the ends of all topics of a job that exist, for a consumer group."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group})
    topics = consumer.list_topics().topics
    ends = [
        TopicPartition(name, number, consumer.get_watermark_offsets(TopicPartition(name, number))[1])
        for name in TOPICS_BY_JOB[job]
        if name in topics
        for number in topics[name].partitions
    ]
    if ends:
        consumer.commit(offsets=ends, asynchronous=False)
    consumer.close()
