"""Limits that several processes share in a real Redis, which is killed and started again."""

import asyncio
from collections.abc import Iterator
from time import monotonic

import pytest

from common.principal import Principal
from common.settings import Settings
from local.parts import redis as local_redis
from serving.gateway import rate_limits
from serving.gateway.rate_limits import RateLimits, shared_counts
from serving.kit.circuit_breaker import BreakerState
from serving.kit.redis_client import open_redis
from tests.integration.servers import TEST_TIMEOUT_S, Server, running
from tests.ports import free_offset

LIMIT = 200
SMALL = 20


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = Settings(home=tmp_path_factory.mktemp("limits"), port_offset=free_offset())
    with running(local_redis.part(settings), settings) as server:
        yield server


def shopper(name: str) -> Principal:
    return Principal(name, frozenset({"shopper"}), session_id=name)


def limits_in(settings: Settings) -> RateLimits:
    """The limits of one process, with a client of its own."""
    return RateLimits(
        shared_counts(open_redis(settings)), lambda traffic: SMALL if traffic == "write" else LIMIT
    )


async def admitted(limits: RateLimits, principal: Principal, requests: int) -> int:
    """Send requests one after the other, as a client does, and return how many were admitted."""
    count = 0
    for _ in range(requests):
        answer = await limits.check(principal, "203.0.113.7", "read")
        count += answer is None or answer.allowed
        await asyncio.sleep(0)
    return count


def test_processes_share_a_limit(redis: Server) -> None:
    async def send() -> list[int]:
        processes = [limits_in(redis.settings) for _ in range(3)]
        return list(
            await asyncio.gather(*(admitted(each, shopper("everywhere"), LIMIT) for each in processes))
        )

    counts = asyncio.run(send())
    leases, credits = 3 * LIMIT // 20, 3 * LIMIT // 50
    assert LIMIT - leases <= sum(counts) <= LIMIT + credits


def test_a_small_limit_is_exact(redis: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "REDIS_TIMEOUT_S", float(TEST_TIMEOUT_S))  # for busy machines

    async def send() -> int:
        processes = [limits_in(redis.settings) for _ in range(3)]
        answers = await asyncio.gather(
            *(each.check(shopper("s"), "203.0.113.7", "write") for each in processes for _ in range(50))
        )
        return sum(answer is None or answer.allowed for answer in answers)

    assert asyncio.run(send()) == SMALL


def test_redis_keeps_no_id_and_forgets_a_sender_after_two_minutes(redis: Server) -> None:
    async def read() -> list[tuple[bytes, int]]:
        client = open_redis(redis.settings)
        await admitted(limits_in(redis.settings), shopper("somebody"), 50)
        found = [(key, await client.ttl(key)) for key in await client.keys("*")]
        await client.aclose()
        return found

    keys = asyncio.run(read())
    assert keys
    assert all(b"somebody" not in key and 0 < ttl_s <= 120 for key, ttl_s in keys)


def test_while_redis_is_away_each_process_limits_alone_and_then_they_share_again(redis: Server) -> None:
    async def send() -> tuple[list[int], list[int]]:
        processes = [limits_in(redis.settings) for _ in range(2)]
        for limits in processes:
            await admitted(limits, shopper("early"), 50)
        redis.kill()
        alone = [await admitted(limits, shopper("during"), 2 * LIMIT) for limits in processes]
        assert all(limits.breaker.state is BreakerState.OPEN for limits in processes)
        await asyncio.to_thread(redis.start)
        deadline = monotonic() + TEST_TIMEOUT_S
        while any(limits.breaker.state is not BreakerState.CLOSED for limits in processes):
            assert monotonic() < deadline
            for number, limits in enumerate(processes):
                await admitted(limits, shopper(f"trial {number}"), 3)
            await asyncio.sleep(0.01)
        return alone, [await admitted(limits, shopper("after"), LIMIT) for limits in processes]

    alone, after = asyncio.run(send())
    assert alone == [LIMIT, LIMIT]
    assert sum(after) <= LIMIT + 2 * LIMIT // 50
