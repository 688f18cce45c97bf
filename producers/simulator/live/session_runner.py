"""Starts visits at a rate, and runs each visit's steps at their times."""

import asyncio
import heapq
from collections.abc import Callable, Coroutine, Generator, Mapping
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np

from common.clock import Clock, to_millis
from common.request_path import in_path
from producers.simulator.live.api import ApiUnavailable, RequestRejected, ShopApi
from producers.simulator.live.arrivals import ArrivalController
from producers.simulator.live.carts import LiveCarts
from producers.simulator.live.event_sender import EventSender
from producers.simulator.live.load_controller import LoadController
from producers.simulator.live.steps import (
    ChangeCart,
    EmitEvent,
    PlannedVisit,
    RecommendedItem,
    RecommendedList,
    RequestRecommendations,
    Step,
    SubmitCart,
    plan_visits,
)
from producers.simulator.live.visit import LiveVisit, VisitContext
from producers.simulator.status import SimulatorStatus
from producers.simulator.visits import draw_organic_views, draw_visits

ARRIVAL_INTERVAL_S = 0.2
"""Visits that begin within this interval are drawn together."""

MAX_ARRIVAL_INTERVAL_S = 2 * ARRIVAL_INTERVAL_S
"""Longest interval for which visits are started at once.

On an overloaded machine the visits of the remaining time are skipped, so that its delay does not grow.
"""

POLL_INTERVAL_S = 0.01
"""Steps that are due within this interval run together, because a wake-up costs more than a step."""

LIST_LENGTH = 12

Spawn = Callable[[Coroutine[Any, Any, None]], None]
"""Runs a coroutine concurrently."""


class _RunningVisit(NamedTuple):
    """A running visit: its steps, and the delay of the clock of visits when the visit began."""

    steps: Generator[Step, RecommendedList | None]
    delay_ms: int


class SessionRunner:
    """Runs visits. `check_out` is called with each checkout, `on_visit` with each visit that begins.

    `rate` is in events per second.

    A visit is planned in real time. Its steps are delayed by the delay of the `controller`'s clock.
    """

    def __init__(
        self,
        context: VisitContext,
        api: ShopApi,
        event_sender: EventSender,
        status: SimulatorStatus,
        clock: Clock,
        rng: np.random.Generator,
        rate: float,
        controller: LoadController,
        spawn: Spawn,
        check_out: Callable[[SubmitCart], None],
        on_visit: Callable[[PlannedVisit], None] = lambda _: None,
    ) -> None:
        self._context, self._api, self._event_sender, self._status = context, api, event_sender, status
        self._clock, self._rng, self._controller = clock, rng, controller
        self._arrivals = ArrivalController(rate)
        self._spawn, self._check_out, self._on_visit = spawn, check_out, on_visit
        self._carts = LiveCarts(api, status)
        self._events = 0
        self._scheduled: list[tuple[int, int, _RunningVisit, Step]] = []
        self._tie = count()
        self._responses: list[tuple[_RunningVisit, RecommendedList | None]] = []
        self._pending_events: list[dict[str, Any]] = []

    async def run(self, stopping: asyncio.Event) -> None:
        """Start and run visits until `stopping` is set. Visits that still run are then abandoned."""
        loop = asyncio.get_running_loop()
        last_s, simulated_s = loop.time(), 0.0
        while not stopping.is_set():
            await asyncio.sleep(POLL_INTERVAL_S)
            now_s, now_ms = loop.time(), to_millis(self._clock())
            self._controller.tick(now_ms / 1000)
            simulated_s, last_s = simulated_s + (now_s - last_s) * self._controller.speed, now_s
            if simulated_s >= ARRIVAL_INTERVAL_S:
                expected = self._arrivals.expected_visits(
                    self._events, min(simulated_s, MAX_ARRIVAL_INTERVAL_S)
                )
                self._start_visits(int(self._rng.poisson(expected)), now_ms)
                self._events, simulated_s = 0, 0.0
            self._run_due_steps(now_ms - self._delay_ms())

    def _delay_ms(self) -> int:
        return round(self._controller.delay_s * 1000)

    def _start_visits(self, number: int, now_ms: int) -> None:
        """Start this number of visits within the next interval."""
        if not number:
            return
        decisions, delay_ms = self._context.decisions, self._delay_ms()
        started = now_ms + np.sort(self._rng.integers(int(ARRIVAL_INTERVAL_S * 1000), size=number))
        visits = draw_visits(decisions, self._rng, started)
        for plan in plan_visits(
            decisions, self._rng, visits, draw_organic_views(decisions, self._rng, visits)
        ):
            self._status.visits["begun"] += 1
            self._on_visit(plan)
            visit = _RunningVisit(LiveVisit(plan, self._context, self._rng).steps(), delay_ms)
            self._advance(visit, None, now_ms - delay_ms)

    def _run_due_steps(self, simulated_ms: int) -> None:
        """Continue visits whose response has arrived or whose next step is due; enqueue their events."""
        responses, self._responses = self._responses, []
        for visit, response in responses:
            self._advance(visit, response, simulated_ms)
        while self._scheduled and self._scheduled[0][0] <= simulated_ms:
            _, _, visit, step = heapq.heappop(self._scheduled)
            if self._execute(visit, step):
                self._advance(visit, None, simulated_ms)
        if self._pending_events:
            self._event_sender.enqueue(self._pending_events)
            self._pending_events = []

    def _advance(self, visit: _RunningVisit, response: RecommendedList | None, simulated_ms: int) -> None:
        """Run the due steps of a visit, and schedule its next step."""
        while True:
            try:
                step = visit.steps.send(response)
            except StopIteration:
                self._status.visits["ended"] += 1
                return
            due_ms = step.at_ms - visit.delay_ms
            if due_ms > simulated_ms:
                heapq.heappush(self._scheduled, (due_ms, next(self._tie), visit, step))
                return
            if not self._execute(visit, step):
                return
            response = None

    def _execute(self, visit: _RunningVisit, step: Step) -> bool:
        """Execute a step; return whether the visit can continue at once."""
        match step:
            case RequestRecommendations():
                self._spawn(self._request_list(visit, step))
                return False
            case ChangeCart():
                self._spawn(self._change_cart(visit, step))
                self._events += 1
                return False
            case EmitEvent():
                self._pending_events.append(step.event)
            case SubmitCart():
                self._check_out(step)
        self._events += 1
        return True

    async def _request_list(self, visit: _RunningVisit, request: RequestRecommendations) -> None:
        # `_run_due_steps` replaces the list `_responses` meanwhile, so read the attribute after the await.
        response = await self._fetch_recommendations(request)
        self._responses.append((visit, response))

    async def _change_cart(self, visit: _RunningVisit, change: ChangeCart) -> None:
        await self._carts.change(change)
        self._responses.append((visit, None))

    async def _fetch_recommendations(self, request: RequestRecommendations) -> RecommendedList | None:
        target = f"/v1/recommendations/{in_path(request.visitor)}?n={LIST_LENGTH}&context={request.surface}"
        if request.product_id is not None:
            target += f"&product_id={quote(request.product_id, safe='')}"
        try:
            response = await self._api.request("recommendations", "GET", target)
        except (ApiUnavailable, RequestRejected):
            return None
        items = [
            RecommendedItem(item["product_id"], item["seller_id"], item["score"], _main_source(item))
            for item in response["items"]
        ]
        return RecommendedList(
            response["recommendation_id"],
            response["strategy"],
            items,
            response["model_version"],
            response["experiment"],
            response["variant"],
        )


def _main_source(item: Mapping[str, Any]) -> str:
    """Return the source whose own list has the product nearest to its top, or the kind of a rule's place."""
    sources: Mapping[str, float] = item["sources"]
    return max(sources, key=sources.__getitem__) if sources else str(item["reason"]["kind"])
