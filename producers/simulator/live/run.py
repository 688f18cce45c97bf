"""Puts live traffic together: the only place that builds its clients, its clock and its randomness."""

import asyncio
import signal
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from random import Random
from typing import Any

import numpy as np
import structlog
import uvloop

from common import garbage, metrics
from common.clock import system_clock
from common.errors import PartUnavailable
from common.kafka import cluster_id
from common.settings import Settings
from producers.simulator import kept as keeping
from producers.simulator import status as reporting
from producers.simulator.calendar import Calendar
from producers.simulator.choices import Behaviour, Choices
from producers.simulator.draws import stream
from producers.simulator.kept import Kept
from producers.simulator.live.api import Api
from producers.simulator.live.crowd import Crowd
from producers.simulator.live.figures import Figures
from producers.simulator.live.intake import Intake
from producers.simulator.live.listings import Sales, introduce
from producers.simulator.live.orders import Orders
from producers.simulator.live.outside import Outside
from producers.simulator.live.parcels import Parcels
from producers.simulator.live.shelf import Shelf
from producers.simulator.live.steps import Buy
from producers.simulator.live.stocking import Stocking
from producers.simulator.live.tempo import Signs, Tempo
from producers.simulator.live.visit import Shop
from producers.simulator.status import Status
from producers.simulator.world.world import World, build
from schemas.setup import register

STATUS_EVERY_S = 1.0
SALES_EVERY_S = 2.0
LOOK_EVERY_S = 0.2
"""How often what shoppers notice is looked at."""

STOP_S = 6.0
"""How long it waits at the end for what has been begun."""

log = structlog.get_logger()


def go_live(kept: Kept, settings: Settings, rate: float) -> None:
    """Let traffic come until SIGINT or SIGTERM.

    Raises:
        PartUnavailable: Kafka or the registry does not answer at the start; later they may go and come.
        UserError: the port for metrics is taken.
    """
    metrics.serve(settings.port("simulator"))
    schema_ids = register(settings).schema_ids
    world = build(kept.shape)
    cluster = cluster_id(settings.kafka)
    if not kept.weeks and (kept.progress is None or kept.progress.cluster != cluster):
        introduce(world, settings, schema_ids, kept.end_ms)
        kept = kept.advanced(keeping.Progress(cluster))
    keeping.write(settings.home, kept)
    garbage.look_rarely()
    uvloop.run(_live(world, settings, schema_ids, rate))


async def _live(world: World, settings: Settings, schema_ids: Mapping[str, int], rate: float) -> None:
    status, stopping, loop = Status(), asyncio.Event(), asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stopping.set)
    seed = np.random.SeedSequence().entropy
    log.info("going live", rate=rate, seed=world.shape.seed)
    async with Api(settings.serving, status) as api:
        live = _Live(world, settings, schema_ids, rate, api, status, int(str(seed)) % 2**32)
        await live.run(stopping)
    log.info("stopped", events=sum(status.events.values()), orders=dict(status.orders))


class _Live:
    """Everything that runs beside one another while traffic is live."""

    def __init__(
        self,
        world: World,
        settings: Settings,
        schema_ids: Mapping[str, int],
        rate: float,
        api: Api,
        status: Status,
        seed: int,
    ) -> None:
        self._status, self._home = status, settings.home
        self._tasks: set[asyncio.Task[None]] = set()
        self._broken: list[BaseException] = []
        calendar, random = Calendar(world), Random(seed)
        rng = stream(world.shape.seed, "live", seed)
        choices = Choices(world, calendar, Behaviour())
        index_of = {product: row for row, product in enumerate(world.products.ids)}
        self._sales = Sales(world, calendar, settings, schema_ids, system_clock)
        self._shelf = Shelf(world, rate)
        self._stocking = Stocking(world, api, self._shelf, random)
        self._api, self._rate, self._tempo = api, rate, Tempo(system_clock().timestamp())
        self._figures = Figures(world, api, random, system_clock, self._tempo.read)
        self._outside = Outside(settings.kafka, schema_ids, status, system_clock)
        self._intake = Intake(api, status, system_clock)
        parcels = Parcels(
            world, self._outside, status, random, system_clock,
            lambda order_id: self.spawn(self._orders.cancel(order_id)),
        )  # fmt: skip
        self._orders = Orders(
            world, api, status, random, self._figures.placed, parcels.send, self._shelf.give_back
        )  # fmt: skip
        shop = Shop(choices, self._sales.prices.at, self._shelf.in_stock, index_of)
        self._crowd = Crowd(
            shop, api, self._intake, status, system_clock, rng, rate, self._tempo, self.spawn, self._buy
        )  # fmt: skip

    async def run(self, stopping: asyncio.Event) -> None:
        """Set the stock, then let traffic come until told to stop.

        Raises:
            BaseException: something is broken; traffic stops.
        """
        self._stopping = stopping
        reporter = asyncio.create_task(self._report())
        try:
            filled = asyncio.create_task(self._stocking.fill())
            told_to = asyncio.create_task(stopping.wait())
            await asyncio.wait({filled, told_to}, return_when=asyncio.FIRST_COMPLETED)
            if not stopping.is_set():
                filled.result()
                self._status.phase = "live"
                self.spawn(self._intake.run(stopping))
                self.spawn(self._crowd.run(stopping))
                self.spawn(self._tell_of_sales())
                self.spawn(self._figures.run(lambda: self._rate * self._tempo.share, stopping))
                self.spawn(self._keep_up())
                await stopping.wait()
            filled.cancel()
            self._status.phase = "stopping"
            await self._wind_up()
        finally:
            reporter.cancel()
            with suppress(asyncio.CancelledError):
                await reporter
            self._status.phase = "stopped"
            reporting.write(self._home, self._status)
        if self._broken:
            raise self._broken[0]

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run this beside the rest; if it breaks, everything stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken.append(error)
            self._stopping.set()

    def _buy(self, buy: Buy) -> None:
        for product in self._shelf.take(buy.units):
            self.spawn(self._stocking.refill(product))
        self.spawn(self._orders.buy(buy))

    async def _keep_up(self) -> None:
        tempo, before = self._tempo, self._api.unanswered
        while not self._stopping.is_set():
            await asyncio.sleep(LOOK_EVERY_S)
            unanswered = self._api.unanswered
            signs = Signs(self._api.waiting, self._intake.unsent / self._rate, unanswered - before)
            tempo.look(signs, system_clock().timestamp())
            before, self._status.tempo, self._status.slowed_because = unanswered, tempo.share, tempo.reason

    async def _tell_of_sales(self) -> None:
        while not self._stopping.is_set():
            try:
                await asyncio.to_thread(self._sales.tell)
            except PartUnavailable:
                self._status.failed("kafka", "a sale could not be told of")
            await asyncio.sleep(SALES_EVERY_S)

    async def _report(self) -> None:
        while True:
            self._outside.look()
            reporting.write(self._home, self._status)
            await asyncio.sleep(STATUS_EVERY_S)

    async def _wind_up(self) -> None:
        """Wait for requests under way and for browsing events that wait to be sent; drop the rest."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=STOP_S / 2)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await asyncio.to_thread(self._outside.close, STOP_S / 2)
