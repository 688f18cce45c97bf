"""Runs queries of sellers as the service does, and finds rows of other sellers in an answer."""

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from clickhouse.databases import analytics_database
from clickhouse.seller_sql.app import SellerQueries
from clickhouse.seller_sql.limits import Limits, SellerQuery
from clickhouse.sql_guard.errors import DatabaseError
from common.settings import Settings
from tests.integration.analytics_shop import SELLERS

Found = TypeVar("Found")


@dataclass(frozen=True)
class Answer:
    """A result, or an error with its code and name."""

    text: str
    code: int = 0
    name: str = ""

    @property
    def rows(self) -> list[list[Any]]:
        assert not self.code, self.text
        found: list[list[Any]] = json.loads(self.text)["data"]
        return found


@dataclass(frozen=True)
class SellerClient:
    """A client whose queries run for one seller."""

    queries: SellerQueries
    loop: asyncio.AbstractEventLoop
    seller_id: str
    database: str

    def of(self, seller_id: str) -> "SellerClient":
        """Return a client of another seller, whose queries the same service runs."""
        return SellerClient(self.queries, self.loop, seller_id, self.database)

    def call(self, work: Coroutine[Any, Any, Found]) -> Found:
        """Run something in the event loop of the service."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(90)

    def send(self, query: str | bytes, params: Mapping[str, str] | None = None) -> Answer:
        text = query.decode(errors="replace") if isinstance(query, bytes) else query
        asked = SellerQuery(self.seller_id, self.database, text, params or {}, "JSONCompact")
        try:
            return Answer(self.call(self.queries.run(asked)).decode(errors="replace"))
        except DatabaseError as error:
            return Answer(str(error), error.code, error.name)

    def rows(self, query: str, params: Mapping[str, str] | None = None) -> list[list[Any]]:
        """Return the rows of a query that is answered."""
        return self.send(query, params).rows

    def refusal(self, query: str | bytes, params: Mapping[str, str] | None = None) -> str:
        """Return why a query is refused."""
        answer = self.send(query, params)
        assert answer.code, answer.text
        return answer.text

    def pids(self) -> dict[str, int]:
        """Return the id of each seller's process."""
        return {each.seller_id: each.pid for each in self.queries.pool.processes if each.seller_id}


@contextmanager
def seller_client(
    settings: Settings, seller_id: str, limit: Limits | None = None, *, guard: bool = True
) -> Iterator[SellerClient]:
    """Yield a client of a seller, with a service of its own; `settings` name the platform's database."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def opened() -> SellerQueries:
        queries = SellerQueries(settings, limit or Limits(), guard=guard)
        await queries.pool.open()
        return queries

    try:
        queries = asyncio.run_coroutine_threadsafe(opened(), loop).result(90)
        yield SellerClient(queries, loop, seller_id, analytics_database(settings.clickhouse_database))
        asyncio.run_coroutine_threadsafe(queries.aclose(), loop).result(90)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def foreign_sellers(text: str, seller_id: str) -> list[str]:
    """Return the other sellers whose id, or the name of whose shop, is in an answer."""
    others = (each for each in SELLERS if each != seller_id)
    return [each for each in others if each in text or json.dumps(each)[1:-1] in text]
