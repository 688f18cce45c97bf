"""The platform's own training: when it is due, within its limits, and whatever kills it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from redis import Redis

from clickhouse.client import connect
from common.nights import night_turn
from common.settings import ROOT, Settings
from local.parts import redis as local_redis
from local.state_directory import settings_environment
from recommenders.training import schedule
from recommenders.training.limits import environment
from recommenders.training.model_registry import ModelRegistry
from recommenders.training.publication import Publications
from recommenders.training.training_log import TrainingEnd, TrainingLog, TrainingStart
from recommenders.training.worker import OUTCOMES, TrainingWorker
from schemas.published_model.keys import IN_USE
from tests.integration.metric_tables import emptied
from tests.integration.servers import await_true, running

NOW = datetime.now(UTC)
EVENTS = 6_000
VIEW = ("event_id", "occurred_at", "session_id", "shopper_id", "product_id", "source")


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
    with connect(made, admin=True) as admin:
        admin.insert("product_viewed", rows, column_names=VIEW)
    return made


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    with running(local_redis.part(settings), settings), Redis.from_url(settings.redis) as client:
        client.flushdb()
        yield client


def child(settings: Settings) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "recommenders.training.child"]
    return subprocess.Popen(command, cwd=ROOT, env=environment() | settings_environment(settings))


@pytest.mark.nightly
def test_the_platform_trains_once_there_is_enough_to_learn_from(
    settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings_environment(settings).items():
        monkeypatch.setenv(name, value)
    worker = TrainingWorker(settings, redis, threading.Event(), lambda: datetime.now(UTC))

    checks = [worker.check() for _ in range(schedule.SETTLED_CHECKS + 2)]

    assert checks == [None] * schedule.SETTLED_CHECKS + ["first", None]
    version = Publications(redis).named(IN_USE)
    assert version is not None
    assert Publications(redis).has(version)
    with connect(settings) as reader:
        [(published,)] = reader.query(
            f"SELECT published FROM model_cards FINAL WHERE version = '{version}'"
        ).result_rows
        rows = reader.query("SELECT trigger, outcome, version FROM trainings FINAL").result_rows
    assert published
    assert rows == [("first", "published", version)]


def test_a_training_waits_until_an_audit_has_ended(settings: Settings, redis: Redis) -> None:
    worker = TrainingWorker(settings, redis, threading.Event(), lambda: NOW)
    with connect(settings, admin=True) as admin:
        admin.command("TRUNCATE TABLE trainings")

    with night_turn(settings.home, "an audit") as is_turn:
        checks = [worker.check() for _ in range(schedule.SETTLED_CHECKS + 2)]

    assert is_turn
    assert checks == [None] * len(checks)
    assert recorded(settings) == []


def test_a_training_that_is_killed_is_recorded_and_begins_anew(
    settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings_environment(settings).items():
        monkeypatch.setenv(name, value)
    with connect(settings, admin=True) as admin:
        admin.command("TRUNCATE TABLE trainings")
    now, killed = [NOW], threading.Event()
    worker = TrainingWorker(settings, redis, threading.Event(), lambda: now[0])

    def kill() -> None:
        """Kill the process of the training once it has begun to train."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not killed.wait(0.05):
            for child in children_of(os.getpid()):
                if recorded(settings) == [("first", "running", "")]:
                    os.kill(child, signal.SIGKILL)
                    killed.set()

    watcher = threading.Thread(target=kill)
    watcher.start()
    checks = [worker.check() for _ in range(schedule.SETTLED_CHECKS + 1)]
    killed.set()
    watcher.join()

    assert checks[-1] == "first"
    assert recorded(settings) == [("first", "failed", "its process was ended by SIGKILL")]
    assert Publications(redis).named(IN_USE) is None
    assert worker.check() is None, "not at once: it would fail again for the same reason"
    now[0] += schedule.RETRY_AFTER
    assert worker.check() == "first"
    assert sorted(outcome for _, outcome, _ in recorded(settings)) == ["failed", "published"]
    version = Publications(redis).named(IN_USE)
    assert version is not None
    assert Publications(redis).has(version)


@pytest.mark.nightly
def test_a_drift_starts_one_training_before_the_night(
    settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings_environment(settings).items():
        monkeypatch.setenv(name, value)
    before = [
        (f"b{number}", NOW - timedelta(hours=1 + number % 70), f"before-{number}", f"visitor-{number % 900}",
         f"p{number % 40}", "search")
        for number in range(4_000)
    ]  # fmt: skip
    with connect(settings, admin=True) as admin:
        admin.command("TRUNCATE TABLE trainings")
        admin.insert("product_viewed", before, column_names=VIEW)
    assert child(settings).wait(600) == 0
    trained_at = datetime.now(UTC)
    in_pause, after_pause = (trained_at + timedelta(hours=hours) for hours in (5, 6.1))
    now = [in_pause]
    # The night is far away, so that only a drift can start a training.
    hour = (after_pause.astimezone(settings.timezone).hour + 2) % 24
    far = settings.model_copy(update={"training_hour": hour})
    worker = TrainingWorker(far, redis, threading.Event(), lambda: now[0])
    rows = [
        (f"d{number}", trained_at + timedelta(minutes=1, milliseconds=number), f"drift-{number}",
         f"visitor-{number % 1_000}", f"p{number // 1_000}", "search")
        for number in range(3_000)
    ]  # fmt: skip
    with connect(settings, admin=True) as admin:
        admin.insert("product_viewed", rows, column_names=VIEW)
    try:
        assert worker.check() is None, "the newest training was less than six hours ago"
        now[0] = after_pause
        assert worker.check() == "drift"
        assert worker.check() is None
        now[0] += timedelta(hours=1)
        assert worker.check() is None, "one training for a drift, not one at every check"
    finally:
        with connect(settings, admin=True) as admin:
            admin.command("DELETE FROM product_viewed WHERE match(session_id, '^(drift|before)-')")
    with connect(settings) as reader:
        [(details, outcome)] = reader.query(
            "SELECT trigger_details, outcome FROM trainings FINAL WHERE trigger = 'drift'"
        ).result_rows
        [(trigger,)] = reader.query(
            "SELECT JSONExtractString(card, 'training', 'trigger') FROM model_cards FINAL "
            "ORDER BY trained_at DESC LIMIT 1"
        ).result_rows
    assert details.startswith("products: PSI ")
    assert outcome in ("published", "kept")
    assert trigger == "drift"


def test_a_training_ends_with_its_worker_and_the_next_worker_records_it(
    settings: Settings,
    redis: Redis,  # noqa: ARG001
) -> None:
    with connect(settings, admin=True) as admin:
        admin.command("TRUNCATE TABLE trainings")
    start = TrainingStart("training-1", NOW, "scheduled")
    code = (
        "import os, subprocess, sys; subprocess.run("
        "[sys.executable, '-m', 'recommenders.training.child', sys.argv[1], str(os.getpid())])"
    )
    environment_of_worker = environment() | settings_environment(settings)
    worker = subprocess.Popen([sys.executable, "-c", code, start.pack()], cwd=ROOT, env=environment_of_worker)
    try:
        await_true(lambda: recorded(settings) == [("scheduled", "running", "")], "the training")
        [trains] = children_of(worker.pid)
    finally:
        worker.kill()
        worker.wait()

    await_true(lambda: not is_running(trains), "the end of the training")
    assert TrainingLog(settings).interrupt_running() == 1
    [(trigger, outcome, reason)] = recorded(settings)
    assert (trigger, outcome) == ("scheduled", "interrupted")
    assert "was killed" in reason


def test_only_the_platforms_own_trainings_count_as_interrupted_and_an_end_is_recorded_once(
    settings: Settings,
) -> None:
    with connect(settings, admin=True) as admin:
        admin.command("TRUNCATE TABLE trainings")
    log = TrainingLog(settings)
    own, persons = (TrainingStart(name, NOW, name) for name in ("scheduled", "requested"))
    log.begin(own)
    log.begin(persons)

    assert log.interrupt_running() == 1
    assert {(trigger, outcome) for trigger, outcome, _ in recorded(settings)} == {
        ("scheduled", "interrupted"),
        ("requested", "running"),
    }
    log.end(own, TrainingEnd("failed", "killed", NOW), if_running=True)
    assert ("scheduled", "failed", "killed") not in recorded(settings), "its end is recorded already"
    log.end(own, TrainingEnd("published", "it was better", NOW, "v1"))
    assert ("scheduled", "published", "it was better") in recorded(settings)


def recorded(settings: Settings) -> list[tuple[str, str, str]]:
    with connect(settings) as reader:
        rows = reader.query("SELECT trigger, outcome, reason FROM trainings FINAL ORDER BY started_at")
    return [(str(trigger), str(outcome), str(reason)) for trigger, outcome, reason in rows.result_rows]


def is_running(pid: int) -> bool:
    """Whether a process runs. One that nobody has waited for has no command line any more."""
    with suppress(OSError):
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    return False


def children_of(pid: int) -> list[int]:
    """The processes `recommenders.training.child` that a process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"recommenders.training.child" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def test_a_training_that_needs_more_memory_than_it_may_use_fails_and_changes_nothing(
    settings: Settings, redis: Redis
) -> None:
    limited = settings.model_copy(update={"training_memory_mb": 256})

    process = child(limited)

    assert process.wait(120) != 0
    assert redis.keys("recommender*") == []


@pytest.mark.nightly  # test_publication.py and test_training_outcomes.py have its two halves
def test_a_model_that_does_not_fit_into_redis_is_no_success_and_not_too_little(
    settings: Settings, redis: Redis
) -> None:
    redis.config_set("maxmemory", redis.info("memory")["used_memory"])  # type: ignore[index]
    try:
        assert OUTCOMES[child(settings).wait(300)] == "no_room"
        assert "no_room" in {outcome for _, outcome, _ in recorded(settings)}
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
