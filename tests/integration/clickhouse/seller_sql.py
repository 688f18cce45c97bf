"""Runs queries as the user `seller`, and finds rows of other sellers in an answer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from clickhouse.databases import analytics_database
from common.settings import Settings
from tests.integration.analytics_shop import SELLERS


@dataclass(frozen=True)
class SellerClient:
    """A client whose queries run for one seller."""

    http: httpx.Client
    seller_id: str
    database: str

    def send(self, query: str | bytes, **parameters: str) -> httpx.Response:
        """Send a query as the API does; `parameters` are further ones of the URL."""
        given = {"SQL_seller_id": self.seller_id, "database": self.database}
        given |= {"default_format": "JSONCompact", "wait_end_of_query": "1"}
        return self.http.post("/", content=query, params={**given, **parameters})

    def rows(self, query: str, **parameters: str) -> list[list[Any]]:
        """Return the rows of a query that is answered."""
        response = self.send(query, **parameters)
        assert response.status_code == 200, response.text
        found: list[list[Any]] = json.loads(response.content)["data"]
        return found

    def refusal(self, query: str | bytes, **parameters: str) -> str:
        """Return why a query is refused."""
        response = self.send(query, **parameters)
        assert response.status_code != 200, response.text
        return response.text


@contextmanager
def seller_client(settings: Settings, seller_id: str) -> Iterator[SellerClient]:
    """Yield a client of a seller; `settings` name the platform's database."""
    login = {"X-ClickHouse-User": "seller"}
    with httpx.Client(base_url=settings.clickhouse, headers=login, timeout=60, trust_env=False) as http:
        yield SellerClient(http, seller_id, analytics_database(settings.clickhouse_database))


def foreign_sellers(text: str, seller_id: str) -> list[str]:
    """Return the other sellers whose id, or the name of whose shop, is in an answer."""
    others = (each for each in SELLERS if each != seller_id)
    return [each for each in others if each in text or json.dumps(each)[1:-1] in text]
