"""The faults that are injected into a running platform, and the alert that each must raise."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg
import redis
from confluent_kafka import Producer

from clickhouse.client import connect
from common.clock import system_clock
from common.kafka_producer import producer_config
from common.process_records import process_tree, read_process_record
from common.settings import Settings
from local.state_directory import StateDirectory
from local.supervision.supervisor import Supervisor, call
from schemas.codec import Encoder
from schemas.events import all_events
from schemas.registry import SchemaRegistry
from tests.e2e.conftest import Platform
from tests.event_examples import examples

Injection = Callable[[Platform], AbstractContextManager[float | None]]
"""Enters the fault, and repairs it at the end. The context is the time (`time.monotonic`) from which the
alert is awaited; None: from the beginning of the injection."""


@dataclass(frozen=True)
class Fault:
    """A fault, and the alert with these labels that it must raise. `what` is its line in the table."""

    what: str
    inject: Injection
    alert: str
    labels: Mapping[str, str] = field(default_factory=dict)


def ended(part: str) -> Injection:
    """A part ends, and its supervisor does not start it again until the repair.

    The alert is awaited from then on: until it has ended, a part finishes what is in work.
    """

    @contextmanager
    def inject(platform: Platform) -> Iterator[float]:
        home = StateDirectory(platform.settings.home)
        Supervisor(home).stop_parts([part])
        try:
            yield time.monotonic()
        finally:
            call(home.socket(), "supervisor.startProcess", part, False)

    return inject


def paused(part: str) -> Injection:
    """All processes of a part are stopped by a signal: it keeps its connections and answers nothing."""

    @contextmanager
    def inject(platform: Platform) -> Iterator[None]:
        record = read_process_record(StateDirectory(platform.settings.home).run, part)
        assert record
        pids = process_tree(record.pid)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    return inject


@contextmanager
def redis_full(platform: Platform) -> Iterator[None]:
    settings = platform.started_settings()
    with redis.Redis.from_url(settings.redis, decode_responses=True) as client:
        before = client.config_get("maxmemory")["maxmemory"]
        client.config_set("maxmemory", 1)
        try:
            yield
        finally:
            client.config_set("maxmemory", before)


def dead_letter(event: str, value: Callable[[Settings], bytes]) -> Injection:
    """A message that nobody can process; the repair is to discard the dead letter."""

    @contextmanager
    def inject(platform: Platform) -> Iterator[None]:
        settings = platform.started_settings()
        producer = Producer(producer_config(settings.kafka, linger_ms=1, delivery_timeout_s=20))
        producer.produce(event, value(settings), b"a key")
        assert producer.flush(20) == 0
        yield
        platform.souk("dlq", "discard", event, "--all")

    return inject


def not_avro(_: Settings) -> bytes:
    return b"poison"


def from_the_future(settings: Settings) -> bytes:
    event = all_events()["product_viewed"]
    record = examples(event)["typical"] | {"occurred_at": system_clock() + timedelta(days=3)}
    with SchemaRegistry(settings.registry) as registry:
        return Encoder(event, registry.register(event.subject, event.text)).encode(record)


@contextmanager
def refused_payments(platform: Platform) -> Iterator[None]:
    """The database refuses to store captured payments, an error that the worker does not expect."""
    _run_in_postgres(
        platform,
        """
        CREATE FUNCTION payments.refuse() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE EXCEPTION 'an injected fault'; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON payments.payments
            FOR EACH ROW WHEN (NEW.state = 'captured') EXECUTE FUNCTION payments.refuse();
        """,
    )
    try:
        yield
    finally:
        _run_in_postgres(platform, "DROP FUNCTION payments.refuse CASCADE")


def _run_in_postgres(platform: Platform, statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(platform.started_settings().postgres)
        try:
            await connection.execute(statements)
        finally:
            await connection.close()

    asyncio.run(run())


@contextmanager
def lost_rows(platform: Platform) -> Iterator[float]:
    """Facts are lost. The audit that finds it belongs to the fault, and the next audit to the repair."""
    with connect(platform.started_settings(), admin=True) as admin:
        admin.command("CREATE OR REPLACE TABLE kept_views AS product_viewed")
        admin.command("INSERT INTO kept_views SELECT * FROM product_viewed ORDER BY occurred_at LIMIT 5")
        lost = "event_id IN (SELECT event_id FROM kept_views)"
        admin.command(f"DELETE FROM product_viewed WHERE {lost}")
        audit(platform)
        yield time.monotonic()
        admin.command("INSERT INTO product_viewed SELECT * FROM kept_views")
        admin.command("DROP TABLE kept_views")
        audit(platform)


def audit(platform: Platform) -> None:
    platform.souk("audit", "--only", "kafka_vs_facts", "--wait", "20", check=False)


OF_ORDERS = {"breaker": "commerce.orders"}

FAULTS = (
    Fault("the API ends", ended("serving"), "ProcessDown", {"job": "serving"}),
    Fault("the commerce services end", ended("commerce"), "CircuitBreakerOpen", OF_ORDERS),
    Fault("the commerce services hang", paused("commerce"), "CircuitBreakerOpen", OF_ORDERS),
    Fault("PostgreSQL ends", ended("postgres"), "PartDown", {"part": "postgres"}),
    Fault("Redis ends", ended("redis"), "RecommendationsWithoutRedis"),
    Fault("the cache is away, because Redis hangs", paused("redis"), "CacheFails"),
    Fault("ClickHouse hangs on its disk", paused("clickhouse"), "PartDown", {"part": "clickhouse"}),
    Fault("Kafka hangs", paused("kafka"), "OutboxStuck"),
    Fault("the schema registry ends", ended("registry"), "PartDown", {"part": "registry"}),
    Fault("the reconciler of the jobs ends", ended("jobs"), "ProcessDown", {"job": "jobs"}),
    Fault("the roll-ups hang", paused("rollups"), "ProcessDown", {"job": "rollups"}),
    Fault("the search index hangs", paused("search"), "ProcessDown", {"job": "search"}),
    Fault(
        "a poison message: no Avro",
        dead_letter("order_confirmed", not_avro),
        "DeadLetters",
        {"topic": "order_confirmed_dlq"},
    ),
    Fault(
        "a dead letter: an event of the day after tomorrow",
        dead_letter("product_viewed", from_the_future),
        "DeadLetters",
        {"topic": "product_viewed_dlq"},
    ),
    Fault("figures are late, because the TaskManager hangs", paused("taskmanager"), "FiguresOld"),
    Fault("Flink's TaskManager ends", ended("taskmanager"), "JobDown", {"job_name": "facts"}),
    Fault("old recommendations, because Redis is full", redis_full, "RecommendationsOld"),
    # These alerts look at five minutes, so that they end late. The last checkout that failed because of
    # another fault must be older.
    Fault(
        "an unexpected error: PostgreSQL refuses payments",
        refused_payments,
        "UnexpectedErrors",
        {"service": "payments"},
    ),
    Fault("checkouts fail, because PostgreSQL hangs", paused("postgres"), "CheckoutBudget", {"window": "1h"}),
    Fault("an audit fails: five facts are lost", lost_rows, "AuditDiffers", {"comparison": "kafka_vs_facts"}),
    # The last one, because all jobs are submitted again, which takes minutes on a busy machine.
    Fault("Flink's JobManager ends", ended("jobmanager"), "PartDown", {"part": "flink"}),
)
