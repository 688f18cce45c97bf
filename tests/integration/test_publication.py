"""Trained models in a real Redis: what is written, what an interruption leaves, how much memory it takes."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest
from redis import Redis

from common.errors import PartUnavailable, UserError
from common.settings import Settings
from local.parts import redis as local_redis
from recommenders.compact import CompactModel
from recommenders.training.model_registry import ModelRegistry
from recommenders.training.neighbour_rows import CONTENT_NEIGHBOURS, FEW_SHOPPERS, NEIGHBOURS, ServedModel
from recommenders.training.publication import Publications, estimated_bytes
from schemas.published_model.keys import (
    IN_USE,
    PREVIOUS,
    PUBLICATIONS,
    STATE,
    Description,
    Layout,
    description_key,
    ids_key,
)
from schemas.published_model.product_ids import ProductIds
from schemas.published_model.rows import Row, unpack_row
from tests.integration.servers import running

TRAINED_AT = datetime(2026, 1, 1, tzinfo=UTC)
ONE_KEY = {b"SET", b"GET", b"HSET", b"HGET", b"HKEYS", b"HDEL", b"DEL", b"EXISTS", b"HLEN"}


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Redis]:
    with running(local_redis.part(settings), settings), Redis.from_url(settings.redis) as client:
        yield client


@pytest.fixture
def redis(server: Redis) -> Redis:
    server.flushdb()
    return server


def compact(products: int, neighbours: int, seed: int = 1, without_events: int = 0) -> CompactModel:
    """Each product has `neighbours` others with random scores. The last products have no events."""
    rng = np.random.default_rng(seed)
    codes = np.concatenate([rng.choice(products, neighbours, replace=False) for _ in range(products)])
    prior = np.full(products, FEW_SHOPPERS, np.float32)
    prior[products - without_events :] = 0
    return CompactModel(
        np.arange(0, products * neighbours + 1, neighbours, dtype=np.int64),
        codes.astype(np.int32),
        rng.uniform(0.1, 9, len(codes)).astype(np.float32),
        prior,
        0.8,
    )


def served(products: int = 60, neighbours: int = 40, without_events: int = 5) -> ServedModel:
    ids = ProductIds.of(f"product-{number:06}" for number in range(products))
    trained = compact(products, neighbours, 1, without_events)
    return ServedModel("item_item", ids, trained, compact(products, neighbours, 2))


def rows_of(redis: Redis, description: Description) -> dict[str, Row]:
    version = description.version
    found = {}
    for bucket in range(description.buckets):
        for product_id, packed in redis.hgetall(f"recommender:{version}:rows:{bucket}").items():
            found[product_id.decode()] = unpack_row(packed, version, description.products)
    return found


def test_the_best_neighbours_are_written_and_products_without_events_beside_them(redis: Redis) -> None:
    model = served()
    description = Publications(redis).write(model, "v1", TRAINED_AT)

    rows = rows_of(redis, description)
    assert Description.unpack(redis.get(description_key("v1"))) == description
    assert (description.rows, description.decay, description.trained_at) == (len(rows), 0.8, TRAINED_AT)
    code, (start, stop) = 3, model.trained.indptr[3:5]
    scores = dict(zip(model.trained.neighbours[start:stop], model.trained.scores[start:stop], strict=True))
    scores.pop(code, None)
    row = rows[model.ids[code]]
    best = sorted(scores, key=lambda other: (-scores[other], other))[:NEIGHBOURS]
    assert [one.code for one in row.trained] == best
    assert [one.score for one in row.trained] == pytest.approx([scores[other] for other in best], rel=1e-3)
    assert 0 < len(row.content) <= CONTENT_NEIGHBOURS
    assert {one.code for one in row.content} <= set(range(55, 60))


def test_a_product_of_few_shoppers_has_products_like_it_instead_of_neighbours_in_the_model(
    redis: Redis,
) -> None:
    model = served()
    model.trained.prior[3] = FEW_SHOPPERS - 1
    unlike = ServedModel(model.name, model.ids, model.trained, None)

    [known, alike] = [
        rows_of(redis, Publications(redis).write(each, version, TRAINED_AT))[model.ids[3]]
        for version, each in (("v1", unlike), ("v2", model))
    ]

    assert (len(known.trained), len(known.content)) == (NEIGHBOURS, 0)
    assert (len(alike.trained), len(alike.content)) == (0, NEIGHBOURS)


def test_a_version_is_read_only_once_it_is_whole_and_named(redis: Redis) -> None:
    publications = Publications(redis)
    publications.write(served(), "v1", TRAINED_AT)
    assert publications.named(IN_USE) is None

    publications.switch("v1", None)
    assert publications.named(IN_USE) == "v1"
    assert publications.has("v1")

    redis.delete(ids_key("v1", 0))
    assert not publications.has("v1")


def test_a_version_that_is_named_again_keeps_the_one_before(redis: Redis) -> None:
    """As if the reply of Redis was lost: the client then tries again."""
    publications = Publications(redis)
    for version in ("v1", "v2", "v2"):
        before = publications.replace_in_use(version)

    assert before == "v1"
    assert redis.hmget(STATE, IN_USE, PREVIOUS) == [b"v2", b"v1"]


def test_what_a_killed_publication_has_left_is_removed_by_the_next(redis: Redis) -> None:
    publications = Publications(redis)
    publications.write(served(), "killed", TRAINED_AT)
    redis.delete(description_key("killed"))

    publications.remove_all_but([None])

    assert redis.keys("*") == []


def test_an_interrupted_publication_changes_nothing_for_readers(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    publications, write, calls = Publications(redis), Redis.hset, iter(range(100))
    publications.write(served(), "v1", TRAINED_AT)
    publications.switch("v1", None)
    before = set(redis.keys("*"))

    def interrupted(*arguments: object, **options: object) -> object:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return write(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Redis, "hset", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publications.write(served(2_500), "v2", TRAINED_AT)
    monkeypatch.undo()

    assert publications.named(IN_USE) == "v1"
    assert set(redis.keys("*")) > before
    publications.remove_all_but(["v1", None])
    assert set(redis.keys("*")) == before
    assert redis.hkeys(PUBLICATIONS) == [b"v1"]


def test_every_command_has_one_key_so_that_a_cluster_takes_it(redis: Redis, tmp_path: object) -> None:
    publications = Publications(redis)
    commands: list[list[bytes]] = []
    ready = threading.Event()

    def watch() -> None:
        with Redis(connection_pool=redis.connection_pool).monitor() as monitor:
            ready.set()
            for each in monitor.listen():
                words = each["command"].encode().split(b" ", 3)
                if words[:2] == [b"GET", b"the-end"]:
                    return
                commands.append(words)

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert ready.wait(10)
    for version, previous in (("v1", None), ("v2", "v1")):
        publications.write(served(), version, TRAINED_AT)
        publications.switch(version, previous)
    ModelRegistry(tmp_path / "models", redis).roll_back()  # type: ignore[operator]
    publications.remove_all_but(["v1"])
    redis.get("the-end")
    watcher.join(10)

    used = [words for words in commands if words[0] not in (b"INFO", b"CLIENT", b"HELLO", b"AUTH")]
    assert {words[0] for words in used} <= ONE_KEY
    assert all(len(words) == 2 for words in used if words[0] in (b"DEL", b"EXISTS"))
    assert redis.hmget(STATE, IN_USE, PREVIOUS) == [b"v1", b"v2"]


def test_the_memory_of_a_version_is_below_the_estimate(redis: Redis) -> None:
    products = 5_000
    model = served(products, NEIGHBOURS + 1)
    description = Publications(redis).write(model, "v1", TRAINED_AT)

    used = sum(
        redis.memory_usage(key, samples=0)
        for key in Layout(description.buckets, description.pieces).keys("v1")
    )
    id_bytes = sum(map(len, model.ids.pieces()))
    assert 200 * products < used < estimated_bytes(products, id_bytes)


def test_a_model_that_would_crowd_out_the_jobs_is_refused(redis: Redis) -> None:
    redis.config_set("maxmemory", redis.info("memory")["used_memory"] + 500_000)
    try:
        with pytest.raises(UserError, match="raise SOUK_REDIS_MAX_MEMORY_MB"):
            Publications(redis).write(served(3_000, 20), "v1", TRAINED_AT)
    finally:
        redis.config_set("maxmemory", 0)

    assert redis.keys("*") == []


def test_a_version_that_loses_rows_while_it_is_written_is_not_described(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Redis.hset

    def lossy(client: Redis, name: str, *rest: object, **options: object) -> object:
        found = write(client, name, *rest, **options)  # type: ignore[arg-type]
        if ":rows:" in name:
            client.delete(name)
        return found

    monkeypatch.setattr(Redis, "hset", lossy)
    with pytest.raises(PartUnavailable, match="of the 60 rows"):
        Publications(redis).write(served(), "v1", TRAINED_AT)

    assert redis.get(description_key("v1")) is None
