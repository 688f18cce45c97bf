"""The requests of sellers for their sales, and the measured lag of these figures."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
import pytest

from producers.simulator.live import sales_poller
from producers.simulator.live.api import ShopApi
from producers.simulator.live.load_controller import FreshnessReading
from producers.simulator.live.sales_poller import AS_OF_MARGIN_S, SalesPoller
from producers.simulator.status import SimulatorStatus
from producers.simulator.world.world import World
from tests.integration.http_server import Heard, Say, answered, serving

BEGUN = datetime(2026, 5, 1, 12, tzinfo=UTC)
AS_OF_S = BEGUN.timestamp() + 60


class Desk:
    """Polls sales from a server that responds with `as_of`, with a clock that the test sets."""

    def __init__(self, world: World, say: Say) -> None:
        self._world, self._say, self._after_s = world, say, 0.0
        self.readings: list[FreshnessReading] = []
        self.status, self.heard = SimulatorStatus(), Heard()
        self.unanswered = 0

    def at(self, after_s: float) -> None:
        self._after_s = after_s

    def run(self, use: Callable[[SalesPoller], Coroutine[Any, Any, None]]) -> None:
        async def live() -> None:
            async with serving(self._say) as self.heard, ShopApi(self.heard.url, self.status) as api:
                await use(SalesPoller(self._world, api, Random(1), self._clock, self.readings.append))
                self.unanswered = api.unanswered

        asyncio.run(live())

    def _clock(self) -> datetime:
        return BEGUN + timedelta(seconds=self._after_s)


def saying(as_of: str | None) -> Say:
    return answered("200 OK", orjson.dumps({"as_of": as_of}))


def test_big_sellers_look_more_often(world: World) -> None:
    desk = Desk(world, saying(None))

    async def use(looking: SalesPoller) -> None:
        for _ in range(60):
            await looking.poll()

    desk.run(use)

    assert desk.status.snapshot()["endpoints"]["sales"]["count"] == 60
    asked = Counter(request.split()[1].split(b"/")[3] for request in desk.heard.requests)
    assert asked.most_common(1)[0][0] == b"seller-0001"
    assert len(asked) > 3
    assert desk.readings == [], "nothing is known of figures that never were"


def test_figures_are_as_far_behind_as_the_first_order_that_they_lack(world: World) -> None:
    desk = Desk(world, saying((BEGUN + timedelta(seconds=60)).isoformat()))

    async def use(looking: SalesPoller) -> None:
        desk.at(3_600)
        await looking.poll()
        for placed_s in (59.0, 60 + AS_OF_MARGIN_S, 64.0, 90.0):
            looking.record_order(BEGUN + timedelta(seconds=placed_s))
        desk.at(100)
        await looking.poll()

    desk.run(use)

    assert [(each.as_of_s, each.behind_s) for each in desk.readings] == [(AS_OF_S, 0.0), (AS_OF_S, 36.0)]
    assert desk.readings[1].at_s == AS_OF_S + 40


def test_figures_that_nobody_answers_are_noticed_as_requests_are(world: World) -> None:
    desk = Desk(world, answered("503 Service Unavailable", b"{}"))

    async def use(looking: SalesPoller) -> None:
        await looking.poll()
        await looking.poll()

    desk.run(use)

    assert desk.readings == []
    assert desk.unanswered == 2
    assert desk.status.errors == {"sales: HTTP 503": 2}


def test_sellers_look_until_told_to_stop(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sales_poller, "FIRST_POLL_AFTER_S", 0.0)
    desk = Desk(world, saying(None))

    async def use(looking: SalesPoller) -> None:
        stopping = asyncio.Event()
        running = asyncio.create_task(looking.run(lambda: 1e6, stopping))
        while len(desk.heard.requests) < 5:
            await asyncio.sleep(0.01)
        stopping.set()
        await asyncio.wait_for(running, 60)

    desk.run(use)

    assert not desk.status.errors
