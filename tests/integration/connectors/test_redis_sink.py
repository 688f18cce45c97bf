"""The `souk-redis` sink in a real Flink, against a real Redis."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from py4j.protocol import Py4JJavaError
from pyflink.util.exceptions import JavaException

from common.settings import Settings

SALES = (
    "CREATE TEMPORARY VIEW sales AS SELECT * FROM (VALUES "
    "('a', 1.5E0), ('b', 2E0), ('a', 3E0), ('c', 0.25E0)) AS t (product_id, units)"
)


@pytest.fixture
def key() -> str:
    return f"k{uuid4().hex[:12]}"


def test_a_sorted_set_holds_the_last_score_of_each_member(flink: Any, redis: Any, key: str) -> None:
    flink.run(
        SALES,
        "CREATE TABLE popular (product_id STRING, score DOUBLE, PRIMARY KEY (product_id) NOT ENFORCED) "
        + redis.sink({"mode": "zset", "key": key}),
        "INSERT INTO popular SELECT product_id, SUM(units) FROM sales GROUP BY product_id",
    ).wait()
    assert redis.client.zrange(key, 0, -1, withscores=True) == [("c", 0.25), ("b", 2.0), ("a", 4.5)]


def test_a_sorted_set_is_trimmed_to_its_maximum_size_and_expires(flink: Any, redis: Any, key: str) -> None:
    flink.run(
        SALES,
        "CREATE TABLE popular (product_id STRING, score DOUBLE, PRIMARY KEY (product_id) NOT ENFORCED) "
        + redis.sink({"mode": "zset", "key": key, "zset.max-size": "2", "ttl": "1 h"}),
        "INSERT INTO popular SELECT product_id, SUM(units) FROM sales GROUP BY product_id",
    ).wait()
    assert redis.client.zrange(key, 0, -1) == ["b", "a"]
    assert 3_500_000 < redis.client.pttl(key) <= 3_600_000


BASKETS = (
    "CREATE TEMPORARY VIEW baskets AS SELECT * FROM (VALUES "
    "('ann', 'pen', 3E0), ('bob', 'ink', 5E0), ('ann', 'ink', 9E0), ('ann', 'cup', 1E0), "
    "('ann', 'pen', 2E0)) AS t (shopper_id, product_id, seen)"
)
RECENT = (
    "CREATE TABLE recent (shopper_id STRING, product_id STRING, score DOUBLE, "
    "PRIMARY KEY (shopper_id, product_id) NOT ENFORCED) "
)


def test_each_owner_has_a_sorted_set_that_is_trimmed_to_its_maximum_size(
    flink: Any, redis: Any, key: str
) -> None:
    redis.client.zadd(f"{key}:bob", {"gone": 99})
    flink.run(
        BASKETS,
        RECENT + redis.sink({"mode": "zset", "key.prefix": f"{key}:", "zset.max-size": "2"}),
        "INSERT INTO recent SELECT shopper_id, product_id, MIN(seen) FROM baskets "
        "GROUP BY shopper_id, product_id",
    ).wait()
    assert redis.client.zrange(f"{key}:ann", 0, -1, withscores=True) == [("pen", 2.0), ("ink", 9.0)]
    assert redis.client.zrange(f"{key}:bob", 0, -1) == ["ink", "gone"]


def test_without_a_primary_key_a_member_has_the_highest_score_of_its_rows(
    flink: Any, redis: Any, key: str
) -> None:
    flink.run(
        BASKETS,
        "CREATE TABLE recent (shopper_id STRING, product_id STRING, seen DOUBLE) "
        + redis.sink({"mode": "zset", "key.prefix": f"{key}:"}),
        "INSERT INTO recent SELECT shopper_id, product_id, seen FROM baskets",
    ).wait()
    found = redis.client.zrange(f"{key}:ann", 0, -1, withscores=True)
    assert found == [("cup", 1.0), ("pen", 3.0), ("ink", 9.0)]


@pytest.mark.parametrize(
    ("table", "query", "message"),
    [
        ("p STRING, n BIGINT", "SELECT product_id, COUNT(*) FROM baskets GROUP BY product_id", "update"),
        ("n DOUBLE", "SELECT seen FROM baskets", "the set's owner"),
    ],
)
def test_a_sorted_set_without_a_primary_key_accepts_only_inserts_with_a_member(
    flink: Any, redis: Any, key: str, table: str, query: str, message: str
) -> None:
    options = {"mode": "zset", "key": key} if "," in table else {"mode": "zset", "key.prefix": key}
    with pytest.raises((Py4JJavaError, JavaException), match=message):
        flink.run(BASKETS, f"CREATE TABLE t ({table}) {redis.sink(options)}", f"INSERT INTO t {query}")


def test_a_deleted_row_removes_its_member_from_the_sorted_set(flink: Any, redis: Any, key: str) -> None:
    redis.client.zadd(key, {"a": 9, "b": 1})
    flink.run(
        SALES,
        "CREATE TABLE popular (product_id STRING, score DOUBLE, PRIMARY KEY (product_id) NOT ENFORCED) "
        + redis.sink({"mode": "zset", "key": key, "sink.flush.rows": "1"}),
        "INSERT INTO popular SELECT product_id, SUM(units) FROM sales GROUP BY product_id "
        "HAVING SUM(units) < 4",
    ).wait()
    assert redis.client.zrange(key, 0, -1) == ["c", "b"]


def test_a_hash_with_one_key_has_a_field_for_each_row(flink: Any, redis: Any, key: str) -> None:
    flink.run(
        SALES,
        "CREATE TABLE counts (product_id STRING, n BIGINT, PRIMARY KEY (product_id) NOT ENFORCED) "
        + redis.sink({"mode": "hash", "key": key}),
        "INSERT INTO counts SELECT product_id, COUNT(*) FROM sales GROUP BY product_id",
    ).wait()
    assert redis.client.hgetall(key) == {"a": "2", "b": "1", "c": "1"}


def test_a_hash_for_each_row_has_a_field_for_each_column(flink: Any, redis: Any, key: str) -> None:
    redis.client.hset(f"{key}:a", "note", "old")
    flink.run(
        SALES,
        "CREATE TABLE products (product_id STRING, n BIGINT, total DOUBLE, note STRING, "
        "PRIMARY KEY (product_id) NOT ENFORCED) " + redis.sink({"mode": "hash", "key.prefix": f"{key}:"}),
        "INSERT INTO products SELECT product_id, COUNT(*), SUM(units), CAST(NULL AS STRING) "
        "FROM sales GROUP BY product_id",
    ).wait()
    assert redis.client.hgetall(f"{key}:a") == {"n": "2", "total": "4.5"}


def test_a_deleted_row_keeps_the_fields_that_another_table_wrote_to_its_hash(
    flink: Any, redis: Any, key: str
) -> None:
    cards = redis.sink({"mode": "hash", "key.prefix": f"{key}:"})
    wanted = redis.sink({"mode": "hash", "key.prefix": f"{key}:", "sink.flush.rows": "1"})
    flink.run(
        SALES,
        "CREATE TABLE cards (product_id STRING, name STRING, PRIMARY KEY (product_id) NOT ENFORCED) " + cards,
        "INSERT INTO cards SELECT product_id, MAX(UPPER(product_id)) FROM sales GROUP BY product_id",
    ).wait()
    flink.run(
        SALES,
        "CREATE TABLE wanted (product_id STRING, n BIGINT, total DOUBLE, "
        "PRIMARY KEY (product_id) NOT ENFORCED) " + wanted,
        "INSERT INTO wanted SELECT product_id, COUNT(*), SUM(units) FROM sales GROUP BY product_id "
        "HAVING SUM(units) < 4",
    ).wait()
    assert redis.client.hgetall(f"{key}:a") == {"name": "A"}
    assert redis.client.hgetall(f"{key}:b") == {"name": "B", "n": "1", "total": "2.0"}


def test_a_string_for_each_row_may_have_a_key_of_several_columns(flink: Any, redis: Any, key: str) -> None:
    flink.run(
        SALES,
        "CREATE TABLE latest (product_id STRING, kind STRING, total DOUBLE, "
        "PRIMARY KEY (product_id, kind) NOT ENFORCED) "
        + redis.sink({"mode": "string", "key.prefix": f"{key}:"}),
        "INSERT INTO latest SELECT product_id, kind, SUM(units) "
        "FROM (SELECT product_id, 'k' AS kind, units FROM sales) GROUP BY product_id, kind",
    ).wait()
    assert redis.client.get(f"{key}:a:k") == "4.5"


def test_a_row_that_redis_rejects_becomes_a_dead_letter_and_the_rest_is_stored(
    flink: Any, redis: Any, kafka: Any, key: str
) -> None:
    redis.client.lpush(f"{key}:b", "a list is in the way")
    topic = kafka.topic()
    flink.run(
        SALES,
        "CREATE TABLE products (product_id STRING, n BIGINT, PRIMARY KEY (product_id) NOT ENFORCED) "
        + redis.sink(
            {
                "mode": "hash",
                "key.prefix": f"{key}:",
                "sink.dlq.bootstrap": kafka.bootstrap,
                "sink.dlq.topic": topic,
            }
        ),
        "INSERT INTO products SELECT product_id, COUNT(*) FROM sales GROUP BY product_id",
    ).wait()
    [letter] = kafka.records(topic, 1)
    headers = dict(letter.headers())
    assert json.loads(letter.value()) == {"product_id": "b", "n": 1}
    assert letter.key() == b"b"
    assert headers["stage"] == b"redis"
    assert headers["reason"].startswith(b"WRONGTYPE")
    assert redis.client.hgetall(f"{key}:a") == {"n": "2"}
    assert redis.client.hgetall(f"{key}:c") == {"n": "1"}


@pytest.fixture
def is_retried(
    flink: Any, redis: Any, kafka: Any, key: str, wait_until: Any
) -> Callable[[str, int, str], None]:
    """A function that writes to Redis while a setting makes it answer an error, and checks the rows."""

    def counted(setting: str, value: int, error: str) -> None:
        topic = kafka.topic()
        [before] = redis.client.config_get(setting).values()
        redis.client.config_resetstat()
        redis.client.config_set(setting, value)
        try:
            result = flink.run(
                SALES,
                "CREATE TABLE products (product_id STRING, n BIGINT, PRIMARY KEY (product_id) NOT ENFORCED) "
                + redis.sink(
                    {
                        "mode": "zset",
                        "key": key,
                        "sink.dlq.bootstrap": kafka.bootstrap,
                        "sink.dlq.topic": topic,
                    }
                ),
                "INSERT INTO products SELECT product_id, COUNT(*) FROM sales GROUP BY product_id",
            )
            wait_until(lambda: f"errorstat_{error}" in redis.client.info("errorstats"))
        finally:
            redis.client.config_set(setting, before)
        result.wait()

        assert redis.client.zrange(key, 0, -1, withscores=True) == [("b", 1.0), ("c", 1.0), ("a", 2.0)]
        assert kafka.count(topic) == 0

    return counted


def test_an_error_that_no_row_caused_is_retried_without_dead_letters(is_retried: Any) -> None:
    is_retried("min-replicas-to-write", 1, "NOREPLICAS")


def test_a_full_redis_evicts_nothing_and_writes_are_retried(redis: Any, is_retried: Any) -> None:
    settings = redis.client.config_get("maxmemory*")
    assert (int(settings["maxmemory"]), settings["maxmemory-policy"]) == (
        Settings().redis_max_memory_mb * 1024**2,
        "noeviction",
    )

    is_retried("maxmemory", 1, "OOM")


def test_a_redis_that_is_killed_and_started_again_has_the_last_values(
    flink: Any, redis: Any, key: str, wait_until: Any
) -> None:
    running = flink.run(
        "CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'fields.id.kind' = 'sequence', "
        "'fields.id.start' = '1', 'fields.id.end' = '6000', 'rows-per-second' = '2000')",
        "CREATE TABLE counts (k STRING, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) "
        + redis.sink({"mode": "hash", "key": key}),
        "INSERT INTO counts SELECT CAST(MOD(id, 3) AS STRING), COUNT(*) FROM numbers GROUP BY MOD(id, 3)",
    )
    wait_until(lambda: redis.client.hgetall(key))
    redis.kill()
    redis.start()
    running.wait()
    assert redis.client.hgetall(key) == {"0": "2000", "1": "2000", "2": "2000"}


def test_the_planner_rejects_a_table_whose_columns_do_not_fit_its_mode(flink: Any, redis: Any) -> None:
    with pytest.raises(Py4JJavaError, match="one numeric column, the score"):
        flink.run(
            SALES,
            "CREATE TABLE popular (product_id STRING, score STRING, PRIMARY KEY (product_id) NOT ENFORCED) "
            + redis.sink({"mode": "zset", "key": "k"}),
            "INSERT INTO popular SELECT product_id, 'x' FROM sales",
        )
