"""Builds and runs live traffic: the only place that creates its clients, clock and random streams."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

import numpy as np
import structlog
import uvloop

from common import gc_tuning
from common.clock import system_clock
from common.kafka import cluster_id
from common.operations_server import serve_operations
from common.principal_token import PlatformToken
from common.readiness import NotReady, ProcessReadiness
from common.settings import Settings
from common.stopping import SIGNALS, Stopping
from producers.simulator import saved_world
from producers.simulator import status as reporting
from producers.simulator.calendar import Calendar
from producers.simulator.decisions import Behaviour, DecisionModel
from producers.simulator.live.api import ApiUnavailable, RequestRejected, ShopApi
from producers.simulator.live.catalogue import publish_catalogue
from producers.simulator.live.event_sender import EventSender
from producers.simulator.live.external_events import ExternalEventProducer
from producers.simulator.live.flash_sales import FlashSales
from producers.simulator.live.load_controller import LoadController, LoadSignals
from producers.simulator.live.order_consumer import OrderConsumer
from producers.simulator.live.orders import LiveOrders
from producers.simulator.live.sales_poller import SalesPoller
from producers.simulator.live.search_truth import LiveSearchTruth
from producers.simulator.live.session_runner import SessionRunner
from producers.simulator.live.shipments import LiveShipments
from producers.simulator.live.steps import SubmitCart
from producers.simulator.live.stock_levels import StockLevels
from producers.simulator.live.visit import VisitContext
from producers.simulator.live.vouchers import LiveVouchers
from producers.simulator.randomness import named_rng
from producers.simulator.saved_world import SavedWorld
from producers.simulator.status import SimulatorStatus
from producers.simulator.world.world import World, build_world
from schemas.setup import register

STATUS_EVERY_S = 1.0
SALES_EVERY_S = 2.0
LOAD_CHECK_EVERY_S = 0.2
"""Interval between updates of the load controller."""

SHUTDOWN_TIMEOUT_S = 6.0
"""Time after a stop in which running requests and queued events complete."""

RESTOCK_BATCH_SIZE = 1_000
REFILL_AFTER_S = (20.0, 120.0)
"""Shortest and longest time until a refill arrives."""

_MIN_BACKOFF_S = 1.0
_MAX_BACKOFF_S = 10.0

log = structlog.get_logger()


def run_live(saved: SavedWorld, settings: Settings, rate: float) -> None:
    """Run live traffic until SIGINT or SIGTERM.

    Raises:
        PartUnavailable: Kafka or the registry is unavailable at the start; later outages are tolerated.
        UserError: the port for metrics is taken.
    """
    status, stopping = SimulatorStatus(), Stopping()
    serve_operations(
        settings, "simulator", ProcessReadiness({"traffic": partial(_require_live, status)}, stopping)
    )
    schema_ids = register(settings).schema_ids
    world = build_world(saved.shape)
    cluster = cluster_id(settings.kafka)
    if not saved.weeks and (saved.progress is None or saved.progress.cluster != cluster):
        publish_catalogue(world, settings, schema_ids, saved.end_ms)
        saved = saved.with_progress(saved_world.BackfillProgress(cluster))
    saved_world.write(settings.home, saved)
    gc_tuning.tune_gc()
    uvloop.run(_live(world, settings, schema_ids, rate, status, stopping))


def _require_live(status: SimulatorStatus) -> None:
    if status.phase != "live":
        raise NotReady(f"the simulator is {status.phase}: it sends traffic once it is live")


async def _live(
    world: World,
    settings: Settings,
    schema_ids: Mapping[str, int],
    rate: float,
    status: SimulatorStatus,
    stop: Stopping,
) -> None:
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()

    def begin_stop() -> None:
        stop.begin()
        stopping.set()

    for number in SIGNALS:
        loop.add_signal_handler(number, begin_stop)
    seed = np.random.SeedSequence().entropy
    log.info("going live", rate=rate, seed=world.shape.seed)
    token = PlatformToken(settings, "simulator")
    async with ShopApi(settings.serving, status, token.headers) as api:
        live = _LiveTraffic(world, settings, schema_ids, rate, api, status, int(str(seed)) % 2**32)
        await live.run(stopping)
    log.info("stopped", events=sum(status.events.values()), orders=dict(status.orders))


class Restocker:
    """Sets stock through the API, as sellers do."""

    def __init__(self, world: World, api: ShopApi, levels: StockLevels, random: Random) -> None:
        self._world, self._api, self._levels, self._random = world, api, levels, random

    async def set_initial_stock(self) -> None:
        """Set every product's stock, retrying until the API accepts it.

        Raises:
            RequestRejected: the API rejects the stock. A retry would be rejected again.
        """
        products = range(len(self._world.products.ids))
        for first in range(0, len(products), RESTOCK_BATCH_SIZE):
            await self._set_stock(list(products[first : first + RESTOCK_BATCH_SIZE]))

    async def refill(self, product: int) -> None:
        """Set one product's stock to its level after the lead time."""
        await asyncio.sleep(self._random.uniform(*REFILL_AFTER_S))
        # The stock is rejected if more units are reserved. `request` counts the error, and the next order
        # triggers another refill.
        with suppress(RequestRejected):
            await self._set_stock([product])
        self._levels.record_refill(product)

    async def _set_stock(self, products: list[int]) -> None:
        stock = [
            {
                "product_id": self._world.products.ids[product],
                "seller_id": self._world.sellers.ids[int(self._world.products.seller[product])],
                "on_hand": self._levels.levels[product],
            }
            for product in products
        ]
        pause_s = _MIN_BACKOFF_S
        while True:
            try:
                await self._api.request("stock", "PUT", "/v1/stock", stock)
                return
            except ApiUnavailable:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _MAX_BACKOFF_S)


class _LiveTraffic:
    """The concurrent tasks of live traffic."""

    def __init__(
        self,
        world: World,
        settings: Settings,
        schema_ids: Mapping[str, int],
        rate: float,
        api: ShopApi,
        status: SimulatorStatus,
        seed: int,
    ) -> None:
        self._status, self._home = status, settings.home
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []
        calendar, random = Calendar(world), Random(seed)
        rng = named_rng(world.shape.seed, "live", seed)
        decisions = DecisionModel(world, calendar, Behaviour())
        index_of = {product: row for row, product in enumerate(world.products.ids)}
        self._sales = FlashSales(world, calendar, api, system_clock)
        self._stock_levels = StockLevels(world, rate)
        self._restocker = Restocker(world, api, self._stock_levels, random)
        self._api, self._rate, self._controller = api, rate, LoadController(system_clock().timestamp())
        self._sales_poller = SalesPoller(world, api, random, system_clock, self._controller.update_freshness)
        self._external_events = ExternalEventProducer(
            settings.kafka, schema_ids, status, system_clock, random
        )
        self._event_sender = EventSender(api, status, system_clock, random)
        self._shipments = LiveShipments(
            world, self._external_events, status, random,
            lambda order_id: self.spawn(self._orders.cancel(order_id)),
            lambda body: self.spawn(self._orders.review(body)),
        )  # fmt: skip
        self._order_consumer = OrderConsumer(settings.kafka, status, self._ship, self._shipments.drop)
        self._vouchers = LiveVouchers(world, api, random)
        self._orders = LiveOrders(
            world, api, status, random, self._sales_poller.record_order,
            self._stock_levels.record_failed_order, self._vouchers.entered,
        )  # fmt: skip
        self._search_truth = LiveSearchTruth(world, settings.home)
        context = VisitContext(decisions, self._stock_levels.in_stock, index_of)
        self._session_runner = SessionRunner(
            context, api, self._event_sender, status, system_clock, rng, rate, self._controller,
            self.spawn, self._check_out, self._search_truth.add,
        )  # fmt: skip

    async def run(self, stopping: asyncio.Event) -> None:
        """Set the stock, then run traffic until `stopping` is set.

        Raises:
            BaseException: a task failed, which stops the traffic.
        """
        self._stopping = stopping
        reporter = asyncio.create_task(self._report())
        try:
            filled = asyncio.create_task(self._restocker.set_initial_stock())
            stop_requested = asyncio.create_task(stopping.wait())
            await asyncio.wait({filled, stop_requested}, return_when=asyncio.FIRST_COMPLETED)
            if not stopping.is_set():
                filled.result()
                await self._vouchers.create()
                self._status.phase = "live"
                self.spawn(self._event_sender.run(stopping))
                self.spawn(self._session_runner.run(stopping))
                self.spawn(self._order_consumer.run(stopping))
                self.spawn(self._set_sale_prices())
                self.spawn(self._sales_poller.run(lambda: self._rate * self._controller.pace, stopping))
                self.spawn(self._control_load())
                await stopping.wait()
            filled.cancel()
            self._status.phase = "stopping"
            await self._drain()
        finally:
            reporter.cancel()
            with suppress(asyncio.CancelledError):
                await reporter
            self._write_search_truth()
            self._status.phase = "stopped"
            reporting.write(self._home, self._status)
        if self._failures:
            raise self._failures[0]

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine concurrently; if it fails, all traffic stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failures.append(error)
            self._stopping.set()

    def _check_out(self, checkout: SubmitCart) -> None:
        for product in self._stock_levels.record_order(checkout.units):
            self.spawn(self._restocker.refill(product))
        self.spawn(self._orders.place_and_follow(checkout))

    async def _ship(self, order_id: str) -> None:
        """Schedule the shipments of a confirmed order."""
        if (order := await self._orders.fetch(order_id)) is not None:
            self._shipments.schedule(order)

    async def _control_load(self) -> None:
        controller, before = self._controller, self._api.unanswered
        while not self._stopping.is_set():
            await asyncio.sleep(LOAD_CHECK_EVERY_S)
            failed = self._api.unanswered - before
            before += failed
            signals = LoadSignals(self._api.queued, self._event_sender.queued / self._rate, failed)
            controller.update_load(signals, system_clock().timestamp())
            self._status.pace, self._status.slowed_because = controller.pace, controller.reason

    async def _set_sale_prices(self) -> None:
        while not self._stopping.is_set():
            await self._sales.set_due_prices()
            await asyncio.sleep(SALES_EVERY_S)

    async def _report(self) -> None:
        while True:
            self._external_events.poll()
            self._write_search_truth()
            reporting.write(self._home, self._status)
            await asyncio.sleep(STATUS_EVERY_S)

    def _write_search_truth(self) -> None:
        try:
            self._search_truth.flush()
        except OSError as error:
            self._status.record_error("ground truth", error.strerror or "can't be written")

    async def _drain(self) -> None:
        """Wait for running requests and queued browsing events; drop the rest after the timeout."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=SHUTDOWN_TIMEOUT_S / 2)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await asyncio.to_thread(self._external_events.close, SHUTDOWN_TIMEOUT_S / 2)
