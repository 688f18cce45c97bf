"""Events are held back at each stage, and no answer claims with `as_of` more than its figures have."""

import asyncio
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import psutil
import pytest

from clickhouse.client import connect
from common.clock import system_clock, to_millis
from local import passwords
from tests.e2e.test_shop import AMBER, LAMPS, SHOP, Marketplace

pytestmark = [pytest.mark.timeout(1_800), pytest.mark.nightly]

ORDERS_PER_S = 8
HELD_S = 6.0
"""Longer than an idle partition holds a watermark back (3 s), and than the API keeps an `as_of`."""

FLOWS_S = 4.0
"""The time between two stages."""

READ_EVERY_S = 0.1
STOCK = 100_000

RELAY_LOCK = "SELECT pg_advisory_lock(hashtextextended('relay of {}', 0))"
END_RELAYS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE application_name = 'souk relay' AND usename = 'souk_{}'"
)


HELD_BACK = {
    "transaction": "orders of the marketplace",
    "relay of orders": "orders of the marketplace",
    "relay of payments": "payments",
    "taskmanager": "orders of the marketplace",
    "clickhouse": "orders of the marketplace",
}
"""Stage → a figure whose events go on while it is held back. Behind a paused Kafka, nothing is confirmed."""

MARKETPLACE, SELLER = "/v1/marketplace/sales", f"/v1/sellers/{AMBER}/sales"


@dataclass(frozen=True)
class Figure:
    """A count in the answers of `path`, and the fact of which it counts the events."""

    path: str
    count: Callable[[Any], int]
    fact: str

    def truth(self, client) -> list[int]:
        """Return the times of all events that the figure must count in the end, in Unix milliseconds."""
        sql = f"SELECT toUnixTimestamp64Milli(occurred_at) FROM souk.{self.fact} FINAL"
        return [at for (at,) in client.query(sql).result_rows]


FIGURES = {
    "orders of the marketplace": Figure(MARKETPLACE, lambda totals: totals["orders"], "order_confirmed"),
    "orders of the seller": Figure(SELLER, lambda totals: totals["orders"], "order_confirmed"),
    "payments": Figure(MARKETPLACE, lambda totals: totals["payments"]["payments"], "payment_captured"),
}
"""All orders have lines of the one seller only."""


@dataclass(frozen=True)
class Answer:
    """What an answer counts, and up to when it claims to be complete, in Unix milliseconds."""

    as_of_ms: int
    count: int


class Traffic:
    """A thread that buys lamps, and one for each of `FIGURES` that reads it."""

    def __init__(self, settings, marketplace):
        self.answers: dict[str, list[Answer]] = {name: [] for name in FIGURES}
        self.bought: list[str] = []
        self._marketplace, self._settings = marketplace, settings
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._buy)]
        self._threads += [
            threading.Thread(target=self._read, args=(figure, self.answers[name]))
            for name, figure in FIGURES.items()
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _buy(self):
        while not self._stopping.wait(1 / ORDERS_PER_S):
            lamp = LAMPS[len(self.bought) % len(LAMPS)]
            try:
                self.bought.append(place(self._marketplace, lamp))
            except httpx.HTTPError:  # a stage that is held back may refuse; the next order comes anyway
                continue

    def _read(self, figure, answers):
        period = {"from": (system_clock() - timedelta(days=1)).date().isoformat()}
        with httpx.Client(
            base_url=self._settings.serving, trust_env=False, timeout=30, auth=self._marketplace.http.auth
        ) as http:
            while not self._stopping.wait(READ_EVERY_S):
                try:
                    found = http.get(figure.path, params=period).raise_for_status().json()
                except httpx.HTTPError:
                    continue
                if found["as_of"] is not None:
                    as_of_ms = to_millis(datetime.fromisoformat(found["as_of"]))
                    answers.append(Answer(as_of_ms, figure.count(found["totals"])))


def place(marketplace, lamp):
    """Order a lamp; return the order's id."""
    body = {
        "shopper_id": f"shopper-{uuid.uuid4()}",
        "currency": "BRL",
        "payment": {"method": "pix", "token": "tok_visa"},
        "lines": [{"product_id": lamp, "quantity": 1, "unit_price_minor": SHOP[lamp][3]}],
    }
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    return (
        marketplace.http.post("/v1/orders", json=body, headers=headers).raise_for_status().json()["order_id"]
    )


def run_apart(work):
    """Run a coroutine in a thread of its own."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


@contextmanager
def paused(platform, part):
    """Stop all processes of a part as a debugger would: nothing ends, nothing answers."""
    main = psutil.Process(platform.status()[part]["pid"])
    stopped = [main, *main.children(recursive=True)]
    for process in stopped:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in stopped:
            os.kill(process.pid, signal.SIGCONT)


def hold_transactions(settings, marketplace):
    """Confirm some orders in transactions that begin now and are committed after `HELD_S`."""

    async def hold():
        connection = await asyncpg.connect(settings.postgres)
        try:
            held, attempts = 0, 0
            while not held:
                attempts += 1
                assert attempts < 50, "every order was confirmed before its row could be locked"
                order_id = await asyncio.to_thread(place, marketplace, LAMPS[0])
                transaction = connection.transaction()
                await transaction.start()
                locked = "SELECT status FROM orders.orders WHERE order_id = $1 FOR UPDATE"
                if await connection.fetchval(locked, uuid.UUID(order_id)) == "placed":
                    held += 1
                    await asyncio.sleep(HELD_S)
                await transaction.rollback()
        finally:
            await connection.close()

    run_apart(hold())


def hold_relay(settings, service):
    """Keep the relay of a service from publishing for `HELD_S`, while the service writes to its outbox."""

    async def hold():
        ours, other = [await asyncpg.connect(settings.postgres) for _ in range(2)]
        try:
            leading = asyncio.create_task(ours.execute(RELAY_LOCK.format(service)))
            await asyncio.sleep(0.2)  # first in the queue, before the relay that returns
            ended = await other.fetch(END_RELAYS.format(service))
            assert ended, f"no relay of {service} ran"
            await leading
            await asyncio.sleep(HELD_S)
        finally:
            await ours.close()
            await other.close()

    run_apart(hold())


def test_as_of_is_never_later_than_the_truth_while_events_are_held_back_at_each_stage(platform, eventually):
    settings = passwords.ensure(platform.settings)
    marketplace = Marketplace(settings)
    marketplace.tell("seller_registered", seller_id=AMBER, name="Amber")
    for lamp in LAMPS:
        marketplace.offer("product_listed", lamp)
        eventually(lambda listed=lamp: marketplace.count(listed, STOCK).status_code == 200)
    held: dict[str, tuple[int, int]] = {}

    def stage(name, hold):
        time.sleep(FLOWS_S)
        begun = to_millis(system_clock())
        hold()
        held[name] = begun, to_millis(system_clock())

    def pause(part):
        with paused(platform, part):
            time.sleep(HELD_S)

    with Traffic(settings, marketplace) as traffic:
        eventually(lambda: all(answers and answers[-1].count for answers in traffic.answers.values()), 120)
        stage("transaction", lambda: hold_transactions(settings, marketplace))
        stage("relay of orders", lambda: hold_relay(settings, "orders"))
        stage("relay of payments", lambda: hold_relay(settings, "payments"))
        for part in ("kafka", "taskmanager", "clickhouse"):
            stage(part, lambda paused=part: pause(paused))
        time.sleep(FLOWS_S)
        last = to_millis(system_clock())
        eventually(lambda: all(each[-1].as_of_ms > last for each in traffic.answers.values()), 120)

    with connect(settings, admin=True) as client:
        truths = {name: figure.truth(client) for name, figure in FIGURES.items()}
    for name, answers in traffic.answers.items():
        print(f"{name}: {len(answers):,} answers, {len(truths[name]):,} events")
        wrong = [each for each in answers if sum(at < each.as_of_ms for at in truths[name]) > each.count]
        assert wrong == [], (name, held)
        assert len(truths[name]) >= answers[-1].count > 0
    for stage_name, figure in HELD_BACK.items():
        begun, ended = held[stage_name]
        assert any(begun <= at < ended for at in truths[figure]), f"nothing happened in stage {stage_name}"
