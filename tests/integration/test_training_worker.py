"""The platform's own training: when it is due, within its limits, and whatever kills it."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from redis import Redis

from clickhouse.client import connect
from common.settings import ROOT, Settings
from jobs.training import schedule
from jobs.training.limits import environment
from jobs.training.model_registry import ModelRegistry
from jobs.training.publication import Publications
from jobs.training.worker import OUTCOMES, TrainingWorker
from local.parts import redis as local_redis
from local.state_directory import settings_environment
from schemas.published_model.keys import IN_USE
from tests.integration.metric_tables import emptied
from tests.integration.servers import running

NOW = datetime.now(UTC)
EVENTS = 6_000


@pytest.fixture(scope="module")
def settings(migrated_database: Settings) -> Settings:
    """A ClickHouse with ten days of views."""
    made = emptied(migrated_database).model_copy(update={"training_budget_s": 1.0})
    rng = np.random.default_rng(5)
    minutes = rng.choice(10 * 24 * 60, EVENTS)
    rows = [
        (
            f"e{number}",
            NOW - timedelta(minutes=int(minute)),
            f"visit-{minute // 30}",
            f"shopper-{rng.integers(200)}",
            f"p{rng.integers(40)}",
            "search",
        )
        for number, minute in enumerate(minutes)
    ]
    columns = ("event_id", "occurred_at", "session_id", "shopper_id", "product_id", "source")
    with connect(made, admin=True) as admin:
        admin.insert("product_viewed", rows, column_names=columns)
    return made


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    with running(local_redis.part(settings), settings), Redis.from_url(settings.redis) as client:
        client.flushdb()
        yield client


def child(settings: Settings) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "jobs.training.child"]
    return subprocess.Popen(command, cwd=ROOT, env=environment() | settings_environment(settings))


@pytest.mark.nightly
def test_the_platform_trains_once_there_is_enough_to_learn_from(
    settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings_environment(settings).items():
        monkeypatch.setenv(name, value)
    worker = TrainingWorker(settings, redis, threading.Event(), lambda: datetime.now(UTC))

    checks = [worker.check() for _ in range(schedule.SETTLED_CHECKS + 2)]

    assert checks == [False] * schedule.SETTLED_CHECKS + [True, False]
    version = Publications(redis).named(IN_USE)
    assert version is not None
    assert Publications(redis).has(version)
    with connect(settings) as reader:
        [(published,)] = reader.query(
            f"SELECT published FROM model_cards FINAL WHERE version = '{version}'"
        ).result_rows
    assert published


def test_a_training_that_needs_more_memory_than_it_may_use_fails_and_changes_nothing(
    settings: Settings, redis: Redis
) -> None:
    limited = settings.model_copy(update={"training_memory_mb": 256})

    process = child(limited)

    assert process.wait(120) != 0
    assert redis.keys("recommender*") == []


def test_a_model_that_does_not_fit_into_redis_is_no_success_and_not_too_little(
    settings: Settings, redis: Redis
) -> None:
    redis.config_set("maxmemory", redis.info("memory")["used_memory"])  # type: ignore[index]
    try:
        assert OUTCOMES[child(settings).wait(300)] == "no_room"
    finally:
        redis.config_set("maxmemory", 0)

    assert Publications(redis).named(IN_USE) is None


@pytest.mark.nightly
@pytest.mark.timeout(1_800)
def test_a_training_that_is_killed_at_any_time_leaves_nothing_that_is_served(
    settings: Settings, redis: Redis
) -> None:
    began = time.monotonic()
    assert child(settings).wait(600) == 0
    whole_s = time.monotonic() - began
    publications = Publications(redis)

    for share in (0.2, 0.5, 0.8, 0.9, 0.95, 0.99):
        process = child(settings)
        try:
            process.wait(share * whole_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        in_use = publications.named(IN_USE)  # the new one if it was killed after the switch
        assert in_use is not None
        assert publications.has(in_use)
        assert ModelRegistry(settings.home / "models", redis).model(in_use).product_count == 40

    assert child(settings).wait(600) == 0
    versions = {key.decode().split(":")[1] for key in redis.keys("recommender:*")}
    assert len(versions) == 2
    assert publications.named(IN_USE) in versions
    assert len(list(Path(settings.home, "models").iterdir())) == 2
