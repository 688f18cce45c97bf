"""The installed Redis, with lists like those of job `recommendations`."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from redis import AuthenticationError, Redis

from common.settings import Settings
from local.parts.part import NotReady
from local.parts.redis import check, part
from tests.integration.servers import Server, await_true
from tests.ports import free_offset

PASSWORD = 'a p@ss/word: \\ "ü" # 1%'

LISTS, VISITORS, PRODUCTS, LONGEST = 2_000, 40_000, 5_000, 100


@pytest.fixture
def server(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("PATH", "/nowhere")  # find no Redis of the machine
    settings = Settings(home=tmp_path, port_offset=free_offset(), redis_password=SecretStr(PASSWORD))
    running = Server(part(settings), settings)
    yield running
    running.kill()


def grow(client: Redis, changes: int) -> None:
    """Change lists as the jobs do: add a product, remove the last ones of a long list, let lists expire."""
    draw = random.Random(3)
    product = [f"product-{number:06}" for number in range(PRODUCTS)]
    for _ in range(changes // 2_000):
        with client.pipeline(transaction=False) as pipe:
            for _ in range(2_000):
                similar, recent = f"similar:{draw.randrange(LISTS)}", f"recent:{draw.randrange(VISITORS)}"
                pipe.zadd(similar, {draw.choice(product): draw.random()})
                if draw.random() < 0.3:
                    pipe.zremrangebyrank(similar, 0, -LONGEST - 1)
                if draw.random() < 0.15:
                    pipe.zadd(recent, {draw.choice(product): draw.random()})
                if draw.random() < 0.03:
                    pipe.delete(f"recent:{draw.randrange(VISITORS)}")
            pipe.execute()


def lists(client: Redis) -> dict[str, list[tuple[str, float]]]:
    return {key: client.zrange(key, 0, -1, withscores=True) for key in client.scan_iter(count=1_000)}


@pytest.mark.nightly
def test_lists_that_grow_by_an_entry_leave_few_holes(server: Server) -> None:
    client = Redis.from_url(server.settings.redis)

    grow(client, 300_000)

    memory = client.info("memory")
    assert memory["used_memory_rss"] < 2.6 * memory["used_memory"]  # 1.8; 3.5 with the C library's allocator


def test_what_it_holds_outlives_a_rewrite_of_its_file_and_a_kill(server: Server) -> None:
    client = Redis.from_url(server.settings.redis, decode_responses=True)
    grow(client, 20_000)
    client.bgrewriteaof()
    await_true(lambda: not client.info("persistence")["aof_rewrite_in_progress"], "the rewrite")
    assert client.info("persistence")["aof_last_bgrewrite_status"] == "ok"
    grow(client, 2_000)
    before = lists(client)
    await_true(lambda: not client.info("persistence")["aof_pending_bio_fsync"], "what is written")

    server.kill()
    server.start()

    assert before
    assert lists(client) == before


def test_a_client_needs_the_password(server: Server) -> None:
    address = server.part.url

    assert Redis.from_url(server.settings.redis).ping()
    assert PASSWORD not in address
    for url in (address, address.replace("redis://", "redis://:wrong@")):
        with pytest.raises(AuthenticationError):
            Redis.from_url(url).get("key")
        with pytest.raises(NotReady):
            check(url)
    configuration = server.settings.home / "redis" / "redis.conf"
    assert configuration.stat().st_mode & 0o777 == 0o600
    assert server.part.launch
    assert not any(PASSWORD in argument for argument in server.part.launch.argv)
