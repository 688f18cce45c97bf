"""Lets visits come at a rate and drives each through its steps at their times."""

import asyncio
import heapq
from collections.abc import Callable, Coroutine, Generator
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np

from common.clock import Clock, to_millis
from producers.simulator.live.api import Api, Away, Refused
from producers.simulator.live.arrivals import Arrivals
from producers.simulator.live.intake import Intake
from producers.simulator.live.steps import Ask, Buy, Item, Shown, Step, Tell, planned
from producers.simulator.live.tempo import Tempo
from producers.simulator.live.visit import Shop, Visit
from producers.simulator.status import Status
from producers.simulator.visits import arrive, browse

TICK_S = 0.2
"""Visits that begin within it are drawn together."""

LONGEST_TICK_S = 2 * TICK_S
"""What a machine that can't keep up has missed is not made up for, or it would never get to the answers."""

BEAT_S = 0.01
"""Steps that are due within it are taken together: to wake up for each costs more than the step."""

LIST_LENGTH = 12

Spawn = Callable[[Coroutine[Any, Any, None]], None]
"""Runs a coroutine beside the others."""


class _Walk(NamedTuple):
    """A visit on its way: its steps, and by how much the shoppers' clock was late when it began."""

    steps: Generator[Step, Shown | None]
    late_ms: int


class Crowd:
    """Visits under way. `buy` takes each cart that is checked out; `rate` is in events a second.

    A visit is planned in real time; its steps come as much later as shoppers live slower meanwhile (`tempo`).
    """

    def __init__(
        self,
        shop: Shop,
        api: Api,
        intake: Intake,
        status: Status,
        clock: Clock,
        rng: np.random.Generator,
        rate: float,
        tempo: Tempo,
        spawn: Spawn,
        buy: Callable[[Buy], None],
    ) -> None:
        self._shop, self._api, self._intake, self._status = shop, api, intake, status
        self._clock, self._rng, self._arrivals, self._tempo = clock, rng, Arrivals(rate), tempo
        self._spawn, self._buy = spawn, buy
        self._events = 0
        self._agenda: list[tuple[int, int, _Walk, Step]] = []
        self._tie = count()
        self._answered: list[tuple[_Walk, Shown | None]] = []
        self._told: list[dict[str, Any]] = []

    async def run(self, stopping: asyncio.Event) -> None:
        """Let visits in until told to stop; what is under way then ends where it is."""
        loop = asyncio.get_running_loop()
        last_s, lived_s = loop.time(), 0.0
        while not stopping.is_set():
            await asyncio.sleep(BEAT_S)
            now_s, now_ms = loop.time(), to_millis(self._clock())
            self._tempo.tick(now_ms / 1000)
            lived_s, last_s = lived_s + (now_s - last_s) * self._tempo.speed, now_s
            if lived_s >= TICK_S:
                expected = self._arrivals.due(self._events, min(lived_s, LONGEST_TICK_S))
                self._let_in(int(self._rng.poisson(expected)), now_ms)
                self._events, lived_s = 0, 0.0
            self._beat(now_ms - self._late_ms())

    def _late_ms(self) -> int:
        return round(self._tempo.late_s * 1000)

    def _let_in(self, number: int, now_ms: int) -> None:
        """So many visits begin within the next tick."""
        if not number:
            return
        choices, late_ms = self._shop.choices, self._late_ms()
        started = now_ms + np.sort(self._rng.integers(int(TICK_S * 1000), size=number))
        visits = arrive(choices, self._rng, started)
        for plan in planned(choices, self._rng, visits, browse(choices, self._rng, visits)):
            self._status.visits["begun"] += 1
            walk = _Walk(Visit(plan, self._shop, self._rng).steps(), late_ms)
            self._go_on(walk, None, now_ms - late_ms)

    def _beat(self, shoppers_ms: int) -> None:
        """Go on with whoever got an answer, and with all whose time has come; tell what they did."""
        answered, self._answered = self._answered, []
        for walk, answer in answered:
            self._go_on(walk, answer, shoppers_ms)
        while self._agenda and self._agenda[0][0] <= shoppers_ms:
            _, _, walk, step = heapq.heappop(self._agenda)
            if self._take(walk, step):
                self._go_on(walk, None, shoppers_ms)
        if self._told:
            self._intake.put(self._told)
            self._told = []

    def _go_on(self, walk: _Walk, answer: Shown | None, shoppers_ms: int) -> None:
        """Take the steps of a visit that are due; the next one later."""
        while True:
            try:
                step = walk.steps.send(answer)
            except StopIteration:
                self._status.visits["ended"] += 1
                return
            due_ms = step.at_ms - walk.late_ms
            if due_ms > shoppers_ms:
                heapq.heappush(self._agenda, (due_ms, next(self._tie), walk, step))
                return
            if not self._take(walk, step):
                return
            answer = None

    def _take(self, walk: _Walk, step: Step) -> bool:
        """Whether the visit can go on at once."""
        match step:
            case Ask():
                self._spawn(self._answer(walk, step))
                return False
            case Tell():
                self._told.append(step.event)
            case Buy():
                self._buy(step)
        self._events += 1
        return True

    async def _answer(self, walk: _Walk, ask: Ask) -> None:
        answer = await self._ask(ask)  # beats come meanwhile: each takes the list that there is then
        self._answered.append((walk, answer))

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
