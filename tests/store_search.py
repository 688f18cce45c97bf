"""Searches the stores of a copy for texts. Each function returns the places that contain one of them."""

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import clickhouse_connect
from confluent_kafka import Message
from redis import Redis

from audit.sources.kafka import KafkaTopics
from clickhouse.client import connect
from common.kafka import KafkaCluster
from common.settings import Settings
from tests.integration.servers import TEST_TIMEOUT_S

_TABLES = """SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"""


def postgres_with(settings: Settings, *texts: str) -> list[str]:
    """Return the tables of all schemas that have a row with a text in any column, also inside of bytea."""

    async def search() -> list[str]:
        connection = await asyncpg.connect(settings.postgres)
        try:
            return [
                name
                for (name,) in await connection.fetch(_TABLES)
                if await connection.fetch(
                    f"SELECT FROM {name} AS r, unnest($1::text[]) AS t (text) "
                    "WHERE strpos(lower(r::text), text) > 0 "
                    "OR strpos(lower(r::text), encode(convert_to(text, 'UTF8'), 'hex')) > 0 LIMIT 1",
                    [text.lower() for text in texts],
                )
            ]
        finally:
            await connection.close()

    # Not in this thread: with Playwright, it runs an event loop already.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, search()).result()


def topics_with(settings: Settings, *texts: str) -> list[str]:
    """Return the topics that have a message with a text in its key, value or headers."""
    wanted = [text.encode() for text in texts]
    found = {
        message.topic() or ""
        for message in _messages(settings)
        for part in _parts(message)
        if any(text in part for text in wanted)
    }
    return sorted(found)


def _messages(settings: Settings) -> Iterator[Message]:
    """Yield all messages that are in topics now, except in those of Kafka itself."""
    topics = KafkaTopics(settings.kafka, lambda *_: None)
    for name in KafkaCluster(settings.kafka).metadata(TEST_TIMEOUT_S).topics:
        if not name.startswith("__"):
            yield from topics.messages(name)


def _parts(message: Message) -> Iterator[bytes]:
    """Yield the key, the value and the headers of a message."""
    yield message.key() or b""
    yield message.value() or b""
    for name, value in message.headers() or ():
        yield name.encode()
        yield value or b""


_COMPUTED = (
    "'numbers', 'numbers_mt', 'zeros', 'zeros_mt', 'primes', 'generate_series', 'generateSeries', 'unicode'"
)
"""Tables of ClickHouse's system that store nothing, and have no end or are slow to compute."""


def clickhouse_with(settings: Settings, *texts: str) -> list[str]:
    """Return the tables, the logs of queries and errors among them, that have a row with a text."""
    found = []
    backwards = {"backwards": [text.lower()[::-1] for text in texts]}
    with connect(settings, admin=True) as client:
        tables = client.query(
            "SELECT database, name FROM system.tables "
            "WHERE engine NOT IN ('View', 'MaterializedView', 'Null') "
            f"AND lower(database) != 'information_schema' AND name NOT IN ({_COMPUTED})"
        ).result_rows
        for database, name in tables:
            # The texts are sent backwards: tables of the system show this query, too.
            query = (
                f"SELECT 1 FROM `{database}`.`{name}` "
                "WHERE arrayExists(text -> position(lower(formatRow('TSV', *)), reverse(text)) > 0, "
                "{backwards:Array(String)}) LIMIT 1"
            )
            try:
                if client.query(query, backwards, {"max_execution_time": TEST_TIMEOUT_S}).result_rows:
                    found.append(f"{database}.{name}")
            except clickhouse_connect.driver.exceptions.DatabaseError:
                assert database == "system", name  # some of them can't be read without a condition
    return found


def redis_with(settings: Settings, *texts: str) -> list[bytes]:
    """Return the keys that contain a text, or whose value does."""
    wanted = [text.encode() for text in texts]
    with Redis.from_url(settings.redis) as redis:
        read: dict[bytes, Callable[[bytes], Any]] = {
            b"string": redis.get,
            b"hash": redis.hgetall,
            b"list": lambda key: redis.lrange(key, 0, -1),
            b"set": redis.smembers,
            b"zset": lambda key: redis.zrange(key, 0, -1),
            b"stream": redis.xrange,
        }
        return [
            key
            for key in redis.scan_iter(count=1_000)
            for value in [_flat(read.get(redis.type(key), lambda _: None)(key))]
            if any(text in key or text in value for text in wanted)
        ]


def _flat(value: Any) -> bytes:
    """Return all texts of a value of Redis, one after the other."""
    if isinstance(value, dict):
        return b"\n".join(_flat(each) for pair in value.items() for each in pair)
    if isinstance(value, list | tuple | set):
        return b"\n".join(map(_flat, value))
    return value if isinstance(value, bytes) else str(value).encode()


def files_with(home: Path, *texts: str, without: tuple[str, ...] = ()) -> list[str]:
    """Return the files below a directory, except below the named ones, whose bytes contain a text."""
    wanted = [text.encode() for text in texts]
    files = {str(path.relative_to(home)): path for path in home.rglob("*") if path.is_file()}
    return [
        name
        for name, path in files.items()
        if not name.startswith(without)
        for content in [_bytes(path)]
        if any(text in content for text in wanted)
    ]


def _bytes(path: Path) -> bytes:
    """Return the contents of a file without its holes. Kafka's indexes are gigabytes of holes."""
    contents, position = [], 0
    try:
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            while position < size:
                begin = os.lseek(file.fileno(), position, os.SEEK_DATA)
                position = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
                contents.append(os.pread(file.fileno(), position - begin, begin))
    except FileNotFoundError:  # a server has replaced it
        return b""
    except OSError as error:
        if error.errno != errno.ENXIO:  # the rest of the file is a hole
            raise
    return b"\0".join(contents)
