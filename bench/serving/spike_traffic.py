"""The traffic of the spike benchmark: guests of a small shop who browse and buy, from several processes."""

import asyncio
import os
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from random import Random

import orjson

from bench.http_load import Load, LoadRequest, LoadResult
from bench.recommendations.small_shop import PRODUCTS, product
from common.access_policy import TrafficClass
from common.settings import Settings
from serving.gateway.cookies import GuestSessions

SHARES: Mapping[TrafficClass, float] = {"checkout": 0.02, "page": 0.28, "read": 0.4, "recommendation": 0.3}
"""Share of each traffic class. One request in fifty buys, which is more than in most shops."""

GUESTS = 500
"""Guests of each process, so that no limit of a guest refuses requests."""

MIXED = 5_000
"""Requests of a mix of all traffic classes."""

CONNECTIONS = 128
"""Connections of each traffic class and process. Each process can wait for this many responses at once."""

START_S = 5.0
"""The processes begin this long after they were started, all at the same time."""


@dataclass(frozen=True)
class OfferedTraffic:
    """What happened to the requests by traffic class, when the last one was sent (Unix time), and the CPU
    seconds that sending them took."""

    results: dict[TrafficClass, LoadResult]
    ended_at: float
    cpu_s: float


def make_requests(settings: Settings, seed: int) -> dict[TrafficClass, list[LoadRequest]]:
    """Return the requests of `GUESTS` new guests by traffic class, in random order."""
    random, sessions = Random(seed), GuestSessions(settings)
    made: dict[TrafficClass, list[LoadRequest]] = {traffic: [] for traffic in SHARES}
    for _ in range(GUESTS):
        guest, chosen = sessions.new(), product(random.randrange(PRODUCTS))
        headers = (("Authorization", f"Bearer {sessions.token(guest)}"),)
        paths: Mapping[TrafficClass, tuple[str, ...]] = {
            "page": ("/shop", f"/shop/products/{chosen}"),
            "read": (f"/v1/products/{chosen}", f"/v1/products/{chosen}/stock", "/v1/orders"),
            "recommendation": (f"/v1/recommendations/{guest}", f"/v1/products/{chosen}/similar"),
        }
        for traffic, each in paths.items():
            made[traffic] += (LoadRequest("GET", path, headers) for path in each)
        made["checkout"].append(_checkout(guest, chosen, headers))
    for requests in made.values():
        random.shuffle(requests)
    return made


def mix(
    requests: Mapping[TrafficClass, list[LoadRequest]], seed: int, count: int = MIXED
) -> list[LoadRequest]:
    """Return `count` requests of all traffic classes in their shares."""
    random = Random(seed)
    classes = random.choices(list(SHARES), list(SHARES.values()), k=count)
    return [random.choice(requests[traffic]) for traffic in classes]


async def offer(
    settings: Settings, rate: float, seconds: float, seed: int, connections: int = CONNECTIONS
) -> dict[TrafficClass, LoadResult]:
    """Send `rate` requests a second, whether or not earlier ones are answered."""
    requests = make_requests(settings, seed)
    load = Load(settings.serving, connections)
    results = await asyncio.gather(
        *(
            load.paced(requests[traffic], rate * share, seconds, Random(f"{seed} {traffic}"))
            for traffic, share in SHARES.items()
        )
    )
    return dict(zip(SHARES, results, strict=True))


def offer_from_processes(settings: Settings, rate: float, seconds: float, processes: int) -> OfferedTraffic:
    """Offer `rate` requests a second in all, from as many processes, which begin at the same time."""
    begins_at = time.time() + START_S
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        share = rate / processes
        running = [
            pool.submit(_offer_at, settings, share, seconds, seed, begins_at) for seed in range(processes)
        ]
        parts = [each.result() for each in running]
    return OfferedTraffic(
        {traffic: _joined([part.results[traffic] for part in parts]) for traffic in SHARES},
        max(part.ended_at for part in parts),
        sum(part.cpu_s for part in parts),
    )


def _offer_at(settings: Settings, rate: float, seconds: float, seed: int, begins_at: float) -> OfferedTraffic:
    async def send() -> OfferedTraffic:
        await asyncio.sleep(max(0.0, begins_at - time.time()))
        before = os.times()
        results = await offer(settings, rate, seconds, seed)
        after = os.times()
        cpu_s = after.user + after.system - before.user - before.system
        begun = time.time() - max(result.elapsed_s for result in results.values())
        return OfferedTraffic(results, begun + seconds, cpu_s)

    return asyncio.run(send())


def _joined(results: list[LoadResult]) -> LoadResult:
    joined = LoadResult(elapsed_s=max(result.elapsed_s for result in results))
    for result in results:
        joined.seconds += result.seconds
        joined.failed_seconds += result.failed_seconds
        for status, count in result.failed.items():
            joined.failed[status] = joined.failed.get(status, 0) + count
    return joined


def _checkout(guest: str, chosen: str, headers: tuple[tuple[str, str], ...]) -> LoadRequest:
    body = {
        "shopper_id": guest,
        "currency": "BRL",
        "payment": {"method": "credit_card", "token": "tok_visa"},
        "lines": [{"product_id": chosen, "quantity": 1}],
    }
    headers = (*headers, ("Content-Type", "application/json"))
    return LoadRequest("POST", "/v1/orders", headers, orjson.dumps(body), frozenset({202}), is_keyed=True)
