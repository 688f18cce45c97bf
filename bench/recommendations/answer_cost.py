"""Compares the CPU of an answer with that of the Redis reads that it needs, and of a list computed before.

All variants run in this process, one visitor after the other, in turns, without HTTP and the gateway. So the
differences between them are those of their work, also on a machine with other work.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

import orjson
import uvloop
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from bench.durations import Quantiles
from bench.recommendations.small_shop import PRODUCTS, product
from common.configuration.values import SettingValues
from common.settings import Settings
from serving.kit.live_versions import LiveVersions
from serving.kit.redis_client import HiredisConnection, open_redis, run_redis
from serving.recommendations.proposal import Proposal
from serving.recommendations.recommender import Popular, RecommendationRequest
from serving.recommendations.rules.context import ExposurePool
from serving.recommendations.rules.shop_rules import ShopRules
from serving.recommendations.service import RecommendationService
from serving.recommendations.strategies import Strategy

LENGTH = 12
STORED = 2 * LENGTH
"""A list that is computed before has spare products, because some may be sold or viewed until it is read."""

Command = tuple[Any, ...]
RoundTrip = Sequence[Command]
Work = Callable[[str], Awaitable[object]]

COMPUTED, ROWS = "a list, computed", "the rows of a home page, computed"
STORED_LIST, STORED_BYTES = "a list that was stored, under the rules", "a list that was stored, unchecked"
READS, ROW_READS = "the Redis reads of a list", "the Redis reads of the rows"


@dataclass(frozen=True)
class AnswerCost:
    """The CPU of this process and of Redis for one answer in microseconds, its times, and its Redis reads.

    The CPU is the median over the rounds.
    """

    cpu_us: float
    redis_us: float
    times: Quantiles
    round_trips: float
    commands: float


class _RecordingPipeline(Pipeline):
    """A pipeline that records its commands when it sends them."""

    trips: list[RoundTrip]

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        self.trips.append([command for command, _ in self.command_stack])
        replies: list[Any] = await super().execute(raise_on_error)
        return replies


class _RecordingRedis(Redis):
    """A client that records each round trip: the commands that were sent together."""

    trips: list[RoundTrip]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        pipeline = _RecordingPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipeline.trips = self.trips
        return pipeline

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        self.trips.append([args])
        return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]


class _StoredList:
    """Proposes the products of the list that was stored for a visitor."""

    strategy = "stored_list"
    visitor = ""
    """The visitor who is answered now: one at a time."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def propose(self, _request: RecommendationRequest, _wanted: int) -> Sequence[Proposal]:
        packed: bytes = await run_redis(self._redis.get(stored_key(self.visitor)))
        return [Proposal(*each) for each in orjson.loads(packed)]


def stored_key(visitor: str) -> str:
    """Return the key of the list that the benchmark stores for a visitor."""
    return f"bench:stored_list:{visitor}"


def measure(settings: Settings, visitors: Sequence[str], rounds: int) -> dict[str, AnswerCost]:
    """Answer each visitor once in each round and variant, and return the cost of an answer by variant."""
    return uvloop.run(_measure(settings, visitors, rounds))


async def _measure(settings: Settings, visitors: Sequence[str], rounds: int) -> dict[str, AnswerCost]:
    recording = _RecordingRedis.from_url(settings.redis, connection_class=HiredisConnection)
    recording.trips = []
    redis = open_redis(settings)
    computing, recorded = _service(redis), _service(recording)
    stored_list = _StoredList(redis)
    reading = _service(redis, stored_list)
    for visitor in visitors:
        items = (await computing.recommend(visitor, STORED, "home", None))["items"]
        proposals = [
            (each["product_id"], each["score"], "similar", each["reason"]["product_id"] or each["product_id"])
            for each in items
        ]
        await redis.set(stored_key(visitor), orjson.dumps(proposals))

    async def list_of(visitor: str, service: RecommendationService = computing) -> object:
        return await service.recommend(visitor, LENGTH, "home", None)

    async def rows_of(visitor: str, service: RecommendationService = computing) -> object:
        return await service.titled_rows.of_page(visitor, LENGTH, "home", frozenset())

    async def stored(visitor: str) -> object:
        stored_list.visitor = visitor
        return await reading.recommend(visitor, LENGTH, "home", None)

    async def unchecked(visitor: str) -> object:
        packed: Any = await redis.get(stored_key(visitor))
        return orjson.loads(packed)

    trips = {
        READS: await _recorded(visitors, recording.trips, lambda each: list_of(each, recorded)),
        ROW_READS: await _recorded(visitors, recording.trips, lambda each: rows_of(each, recorded)),
    }
    works: dict[str, Work] = {
        COMPUTED: list_of,
        READS: lambda visitor: _send(redis, trips[READS][visitor]),
        ROWS: rows_of,
        ROW_READS: lambda visitor: _send(redis, trips[ROW_READS][visitor]),
        STORED_LIST: stored,
        STORED_BYTES: unchecked,
    }
    costs = await _in_turns(redis, works, visitors, rounds)
    await redis.delete(*map(stored_key, visitors))
    await redis.aclose()
    await recording.aclose()
    counts = {
        COMPUTED: trips[READS],
        READS: trips[READS],
        ROWS: trips[ROW_READS],
        ROW_READS: trips[ROW_READS],
    }
    return {
        name: AnswerCost(
            round(median(cpu), 1),
            round(median(redis_cpu), 1),
            Quantiles.of(seconds),
            round(fmean([len(each) for each in counts.get(name, {}).values()] or [0]), 1),
            round(fmean([sum(map(len, each)) for each in counts.get(name, {}).values()] or [0]), 1),
        )
        for name, (cpu, redis_cpu, seconds) in costs.items()
    }


def _service(redis: Redis, stored_list: _StoredList | None = None) -> RecommendationService:
    versions = LiveVersions(redis)
    pool = ExposurePool(others=tuple(product(number) for number in range(0, PRODUCTS, PRODUCTS // 5)))
    rules = ShopRules(SettingValues(), "BRL", lambda: pool)
    if stored_list is None:
        return RecommendationService(versions, rules=rules)
    strategies: Any = {"blend": Strategy((), (stored_list.strategy, Popular.strategy))}
    return RecommendationService(versions, (stored_list, Popular(versions)), strategies, rules)


async def _recorded(
    visitors: Sequence[str], trips: list[RoundTrip], work: Work
) -> Mapping[str, Sequence[RoundTrip]]:
    """Return the round trips of each visitor's answer. Caches are warm: everybody was answered before."""
    for visitor in visitors:
        await work(visitor)
    found = {}
    for visitor in visitors:
        trips.clear()
        await work(visitor)
        found[visitor] = tuple(trips)
    return found


async def _send(redis: Redis, trips: Sequence[RoundTrip]) -> None:
    for commands in trips:
        pipeline: Any = redis.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        await pipeline.execute()


async def _in_turns(
    redis: Redis, works: Mapping[str, Work], visitors: Sequence[str], rounds: int
) -> dict[str, tuple[list[float], list[float], list[float]]]:
    """Return the CPU of this process and of Redis for an answer in µs by round, and the seconds of each."""
    costs: dict[str, tuple[list[float], list[float], list[float]]] = {name: ([], [], []) for name in works}
    for number in range(rounds + 1):
        for name in list(works) if number % 2 else list(works)[::-1]:
            redis_before, before = await _redis_cpu_s(redis), time.process_time()
            seconds = []
            for visitor in visitors:
                begun = time.perf_counter()
                await works[name](visitor)
                seconds.append(time.perf_counter() - begun)
            cpu_s, redis_s = time.process_time() - before, await _redis_cpu_s(redis) - redis_before
            if number:  # the first round warms up
                cpu, redis_cpu, times = costs[name]
                cpu.append(cpu_s / len(visitors) * 1e6)
                redis_cpu.append(redis_s / len(visitors) * 1e6)
                times += seconds
    return costs


async def _redis_cpu_s(redis: Redis) -> float:
    """Return the CPU seconds of Redis' process. What other clients ask meanwhile is part of them."""
    info: Any = await redis.info("cpu")
    return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])
