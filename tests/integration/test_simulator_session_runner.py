"""Visits against a server: the API receives their events in order and their requests for recommendations."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import orjson

from common.clock import system_clock
from producers.simulator.calendar import Calendar
from producers.simulator.decisions import Behaviour, DecisionModel
from producers.simulator.live.api import ShopApi
from producers.simulator.live.event_sender import EventSender
from producers.simulator.live.load_controller import LoadController
from producers.simulator.live.session_runner import POLL_INTERVAL_S, SessionRunner
from producers.simulator.live.steps import SubmitCart
from producers.simulator.live.visit import VisitContext
from producers.simulator.randomness import named_rng
from producers.simulator.status import SimulatorStatus
from producers.simulator.world.world import World
from schemas.services import OTHERS
from serving.event_collector.validators import validators
from tests.integration.http_server import Heard, answered, serving

FASTER = 200
"""Speed of the visits' clock, because a visit takes minutes."""

ENDED = 40
STILL_BEATS = 50
"""A number of intervals in which hundreds of visits would begin and end."""

DEADLINE_S = 60

SLOW_S = 5 * POLL_INTERVAL_S
"""Response time of a list of recommendations: several intervals."""


def events_of(heard: Heard) -> list[dict[str, Any]]:
    bodies = [
        request.partition(b"\r\n\r\n")[2] for request in heard.requests if b"POST /v1/events" in request
    ]
    return [event for body in bodies for event in orjson.loads(body)["events"]]


Lives = Callable[[SimulatorStatus, list[SubmitCart], LoadController], Awaitable[None]]
"""Waits until enough visits have ended. It may change the pace."""


async def many_visits(status: SimulatorStatus, bought: list[SubmitCart], _tempo: LoadController) -> None:
    while status.visits["ended"] < ENDED or not bought:
        await asyncio.sleep(POLL_INTERVAL_S)


class Punctual(Random):
    """A stream of random numbers with which no event is late and none is sent twice."""

    def random(self) -> float:
        return 1.0


def additions_of(heard: Heard) -> list[dict[str, Any]]:
    sent = [request.partition(b"\r\n\r\n") for request in heard.requests]
    return [orjson.loads(body) for head, _, body in sent if head.startswith(b"POST /v1/cart/lines ")]


def crowd_of(
    world: World, lives: Lives
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], SimulatorStatus, list[SubmitCart]]:
    """Run visits; return their events, their additions to carts, their status and the checkouts."""

    async def say(request: bytes, writer: asyncio.StreamWriter) -> None:
        if b"POST /v1/events" in request:
            await answered("200 OK", b'{"accepted": 1, "rejected": []}')(request, writer)
        elif b" /v1/cart/lines" in request:
            await answered("200 OK", b'{"parcels": []}')(request, writer)
        else:
            await asyncio.sleep(SLOW_S)
            await answered("200 OK", orjson.dumps(shown))(request, writer)

    def clock() -> datetime:
        return begun + FASTER * (system_clock() - begun)

    async def live() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        stopping, tasks = asyncio.Event(), set()
        async with serving(say) as heard, ShopApi(heard.url, status) as api, asyncio.TaskGroup() as group:
            intake, tempo = EventSender(api, status, clock, Punctual()), LoadController(clock().timestamp())
            crowd = SessionRunner(
                shop, api, intake, status, clock, named_rng(1, "test"), 5_000.0, tempo,
                lambda work: tasks.add(group.create_task(work)), bought.append,
            )  # fmt: skip
            running = [group.create_task(crowd.run(stopping)), group.create_task(intake.run(stopping))]
            async with asyncio.timeout(DEADLINE_S):
                await lives(status, bought, tempo)
                stopping.set()
                await asyncio.gather(*running)
            return events_of(heard), additions_of(heard)

    index_of = {product: row for row, product in enumerate(world.products.ids)}
    decisions = DecisionModel(world, Calendar(world), Behaviour(add=0.0))
    shop = VisitContext(decisions, lambda *_: True, index_of)
    items = [
        {"product_id": product, "seller_id": None, "score": 0.5, "sources": {"popular_products": 1.0}}
        for product in world.products.ids[:12]
    ]
    shown = {"recommendation_id": "01990000-0000-7000-8000-000000000000", "strategy": "blend",
             "model_version": None, "experiment": None, "variant": None,
            "items": items}  # fmt: skip
    status, bought, begun = SimulatorStatus(), list[SubmitCart](), system_clock() - timedelta(seconds=1)
    return *asyncio.run(live()), status, bought


def test_what_a_crowd_does_is_told_once_and_in_the_order_of_time(world: World) -> None:
    events, added, status, bought = crowd_of(world, many_visits)

    assert not status.errors
    told = status.events.total() - status.events["cart_changed"]
    assert told == len(events) == len({event["event_id"] for event in events})
    times = [event["occurred_at"] for event in events]
    assert times == sorted(times)
    assert {event["event"] for event in events} == set(OTHERS["serving/event_collector"].emits)
    for event in events:
        validators()[event["event"]](event)
    carts = {addition["session_id"] for addition in added}
    assert {buy.session_id for buy in bought} <= carts
    shown = [event for event in events if event["event"] == "recommendation_shown"]
    assert all(len(event["items"]) == 12 for event in shown)
    assert len(shown) > status.snapshot()["endpoints"]["recommendations"]["count"] / 2  # others come too late


def test_a_crowd_whose_clock_stands_still_does_nothing_and_goes_on_from_there(world: World) -> None:
    async def stand_still_for_a_while(
        status: SimulatorStatus, bought: list[SubmitCart], tempo: LoadController
    ) -> None:
        await many_visits(status, bought, tempo)
        tempo.pace, seen, beats = 0.0, dict(status.visits), 0
        while beats < STILL_BEATS:  # visits that wait for a list continue to their next step
            beats = beats + 1 if status.visits == seen else 0
            seen = dict(status.visits)
            await asyncio.sleep(POLL_INTERVAL_S)
        tempo.pace = 1.0
        while status.visits["ended"] < seen["ended"] + ENDED:
            await asyncio.sleep(POLL_INTERVAL_S)

    events, _, status, _ = crowd_of(world, stand_still_for_a_while)

    assert not status.errors
    assert len(events) == status.events.total() - status.events["cart_changed"]
