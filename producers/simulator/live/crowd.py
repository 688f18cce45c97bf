"""Lets visits come at a rate and drives each through its steps at their times."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np

from common.clock import Clock, to_millis
from producers.simulator.history.plan import EVENTS_PER_VISIT
from producers.simulator.live.api import Api, Away, Refused
from producers.simulator.live.intake import Intake
from producers.simulator.live.steps import Ask, Buy, Item, Shown, Step, Tell, planned
from producers.simulator.live.visit import Shop, Visit
from producers.simulator.status import Status
from producers.simulator.visits import arrive, browse

TICK_S = 0.2
LONGEST_TICK_S = 2 * TICK_S
"""What a machine that can't keep up has missed is not made up for, or it would never get to the answers."""

RAMP_S = 30.0
"""Shoppers come more and more for so long: a platform that has just started still compiles."""

LIST_LENGTH = 12

_LEARNING = 0.0005
"""How much one visit's number of events moves the mean by which visits are let in."""

Spawn = Callable[[Coroutine[Any, Any, None]], None]
"""Runs a coroutine beside the others."""


@dataclass
class _Walk:
    """One visit on its way, and how many events it has made."""

    steps: Generator[Step, Shown | None]
    events: int = 0


class Crowd:
    """Visits under way. `buy` takes each cart that is checked out; `rate` is in events a second."""

    def __init__(
        self,
        shop: Shop,
        api: Api,
        intake: Intake,
        status: Status,
        clock: Clock,
        rng: np.random.Generator,
        rate: float,
        spawn: Spawn,
        buy: Callable[[Buy], None],
    ) -> None:
        self._shop, self._api, self._intake, self._status = shop, api, intake, status
        self._clock, self._rng, self._rate = clock, rng, rate
        self._spawn, self._buy = spawn, buy
        self._per_visit = EVENTS_PER_VISIT
        self._stopped = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Let visits in until told to stop; what is under way then ends where it is."""
        loop = asyncio.get_running_loop()
        begun_s = last_s = loop.time()
        while not stopping.is_set():
            await asyncio.sleep(TICK_S)
            now_s = loop.time()
            elapsed_s = min(now_s - last_s, LONGEST_TICK_S)
            share = min(1.0, (now_s - begun_s) / RAMP_S)
            self._let_in(int(self._rng.poisson(share * self._rate / self._per_visit * elapsed_s)))
            last_s = now_s
        self._stopped = True

    def _let_in(self, count: int) -> None:
        """So many visits begin within the next tick."""
        if not count:
            return
        now_ms, choices = to_millis(self._clock()), self._shop.choices
        started = now_ms + np.sort(self._rng.integers(int(TICK_S * 1000), size=count))
        visits = arrive(choices, self._rng, started)
        for plan in planned(choices, self._rng, visits, browse(choices, self._rng, visits)):
            self._status.visits["begun"] += 1
            self._go_on(_Walk(Visit(plan, self._shop, self._rng).steps()), None)

    def _go_on(self, walk: "_Walk", answer: Shown | None) -> None:
        """Take the steps of a visit that are due; the next one later."""
        while not self._stopped:
            try:
                step = walk.steps.send(answer)
            except StopIteration:
                self._status.visits["ended"] += 1
                self._per_visit += _LEARNING * (walk.events - self._per_visit)
                return
            delay_s = (step.at_ms - to_millis(self._clock())) / 1000
            if delay_s > 0:
                asyncio.get_running_loop().call_later(delay_s, self._wake, walk, step)
                return
            if not self._take(walk, step):
                return
            answer = None

    def _wake(self, walk: "_Walk", step: Step) -> None:
        if not self._stopped and self._take(walk, step):
            self._go_on(walk, None)

    def _take(self, walk: "_Walk", step: Step) -> bool:
        """Whether the visit can go on at once."""
        match step:
            case Ask():
                self._spawn(self._answer(walk, step))
                return False
            case Tell():
                self._intake.put(step.event)
            case Buy():
                self._buy(step)
        walk.events += 1
        return True

    async def _answer(self, walk: "_Walk", ask: Ask) -> None:
        self._go_on(walk, await self._ask(ask))

    async def _ask(self, ask: Ask) -> Shown | None:
        target = f"/v1/recommendations/{quote(ask.visitor)}?n={LIST_LENGTH}&context={ask.context}"
        if ask.product_id is not None:
            target += f"&product_id={quote(ask.product_id)}"
        try:
            answer = await self._api.ask("recommendations", "GET", target)
        except (Away, Refused):
            return None
        items = [
            Item(item["product_id"], item.get("seller_id"), item.get("score"), item["reason"]["kind"])
            for item in answer["items"]
        ]
        return Shown(answer["recommendation_id"], answer["strategy"], items)
