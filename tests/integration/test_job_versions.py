"""The versions of a job in Redis and Kafka. Only Flink is replaced: it runs what a test says."""

from collections.abc import Iterator
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
from jobs.flink_client import INSTALLATION, FlinkClient
from jobs.registry import VERSIONED_PLANS
from jobs.submit import installation_id
from jobs.version_controller import NO_SLOT, VersionController
from jobs.version_keys import RowDifference, differences
from jobs.versions import (
    JobVersions,
    VersionState,
    defined_plan,
    defined_version,
    live_names,
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
        controller.running = ()
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


def test_in_a_new_platform_the_versions_of_the_checkout_are_live(
    installation: Settings, controller: VersionController
) -> None:
    controller.choose()

    names = {job: defined_plan(job, installation).name for job in VERSIONED_PLANS}
    assert live_names(installation) == {"facts": "facts", **names}
    assert set(controller.plans) == {"facts", *names.values()}
    assert controller.tolerated == set()


def test_a_changed_definition_is_switched_to_when_it_has_written_all_events(
    installation: Settings, redis: "Redis[str]", controller: VersionController, job_manager: JobManager,
    kafka: Kafka,
) -> None:  # fmt: skip
    old = old_version(installation, redis)
    controller.choose()
    new = defined_plan("rankings", installation).name
    assert {old, new} <= set(controller.plans)

    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for made in admin.create_topics([NewTopic("order_confirmed", 1, 1)]).values():
        made.exception()  # it may exist
    kafka.send("order_confirmed", [b"an order"])
    job_manager.runs("a1", new, {INSTALLATION: installation_id(installation)})
    job_manager.has_checkpoints("a1", 0, COMPLETED)
    controller.running = {old, new}
    controller.advance()
    waiting = state(installation, redis)
    assert (waiting.live, waiting.is_complete) == (OLD, False)
    assert waiting.behind is not None
    assert waiting.behind > 0
    assert job_manager.checkpointed == ["/jobs/a1/checkpoints"]

    commit_all(kafka, "order_confirmed", new)
    controller.advance()

    done = state(installation, redis)
    assert (done.live, done.before, done.next) == (new.partition("@")[2], OLD, "")
    controller.choose()
    assert {old, new} <= set(controller.plans)
    assert live_names(installation)["rankings"] == new


def test_offsets_of_an_earlier_attempt_do_not_make_a_version_complete(
    installation: Settings, redis: "Redis[str]", controller: VersionController, job_manager: JobManager
) -> None:
    old_version(installation, redis, "recommendations")
    controller.choose()
    new = defined_plan("recommendations", installation).name
    job_manager.runs("a1", new, {INSTALLATION: installation_id(installation)})
    job_manager.has_checkpoints("a1", 0, None)
    controller.running = {new}

    controller.advance()
    assert state(installation, redis, "recommendations").live == OLD

    job_manager.has_checkpoints("a1", 0, COMPLETED)
    controller.advance()
    assert state(installation, redis, "recommendations").before == OLD


def test_a_version_that_somebody_asked_for_is_not_switched_to_by_itself(
    installation: Settings, redis: "Redis[str]", controller: VersionController, job_manager: JobManager
) -> None:
    controller.choose()
    other = VERSIONED_PLANS["recommendations"](installation, OLD)
    store_plan(installation, other)
    live = defined_version("recommendations", installation)
    changed(installation, redis, "recommendations", live=live, next=OLD)
    controller.choose()
    assert other.name in controller.plans
    job_manager.runs("a1", other.name, {INSTALLATION: installation_id(installation)})
    job_manager.has_checkpoints("a1", 0, COMPLETED)
    controller.running = {other.name}

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
    new = defined_plan("rankings", installation).name

    controller.choose()
    assert new in controller.plans
    assert before.name not in controller.plans
    assert list(state(installation, redis, "recommendations").dropped) == ["be4be4be"]

    job_manager.has_slots(3, 0)
    controller.choose()
    assert new not in controller.plans
    assert state(installation, redis).problem == NO_SLOT

    job_manager.has_slots(4, 1)
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
    name = defined_plan("rankings", installation).name
    assert name in controller.plans
    controller.running = {name}
    controller.choose()
    checkpoints = job_checkpoints(installation, name)
    checkpoints.mkdir(parents=True)

    redis.flushdb()

    controller.choose()
    assert name not in controller.plans
    controller.running = ()
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

    controller.running = {plan.name}
    controller.advance()
    assert redis.exists(f"{OLD}:popular_products")
    assert not redis.exists("trending_products")

    controller.running = ()
    controller.advance()
    assert not redis.exists(f"{OLD}:popular_products")
    assert redis.exists(f"{live}:popular_products")
    assert not checkpoints.exists()
    assert stored_plan(installation, plan.name) is None
    assert state(installation, redis).dropped == {}


def test_while_redis_does_not_answer_the_last_choice_stays(
    installation: Settings, controller: VersionController
) -> None:
    controller.choose()
    chosen = controller.plans

    with FlinkClient(installation.flink) as flink, Redis.from_url("redis://127.0.0.1:9") as nowhere:
        lost = VersionController(installation, nowhere, flink)
        with pytest.raises(PartUnavailable, match="Redis"):
            lost.choose()

    assert set(lost.plans) == {"facts"}
    assert lost.tolerated is None
    assert controller.plans == chosen


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


def commit_all(kafka: Kafka, topic: str, group: str) -> None:
    """Commit the end of a topic's partitions for a consumer group."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group})
    partitions = [
        TopicPartition(topic, each) for each in consumer.list_topics(topic).topics[topic].partitions
    ]
    for each in partitions:
        each.offset = consumer.get_watermark_offsets(each)[1]
    consumer.commit(offsets=partitions, asynchronous=False)
    consumer.close()


def test_a_name_in_flink_has_the_job_and_the_version() -> None:
    assert versioned_name("rankings", OLD).partition("@")[::2] == ("rankings", OLD)
