"""Reads the titled rows for a shopper from the API, as a process of the platform."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import httpx

from common.principal_token import PlatformToken
from common.request_path import in_path
from common.settings import Settings

TIMEOUT_S = 15.0

ROW_LENGTH = 4
"""The largest number of products in a row of a mail."""


class RowsUnavailable(Exception):
    """The API does not answer, or can't answer now."""


@dataclass(frozen=True, slots=True)
class RecommendedProduct:
    """A product of a row. `position` counts from 1."""

    product_id: str
    name: str | None
    price_minor: int
    currency: str
    position: int


@dataclass(frozen=True, slots=True)
class RecommendedRow:
    """Products for one reason, which the title says."""

    title: str
    recommendation_id: str
    products: Sequence[RecommendedProduct]


class RecommendedRows:
    """A client of the API. Use it as an async context manager."""

    def __init__(self, settings: Settings) -> None:
        self._http = httpx.AsyncClient(
            base_url=settings.serving,
            auth=PlatformToken(settings, "users"),
            timeout=TIMEOUT_S,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def of(self, shopper_id: str) -> Sequence[RecommendedRow]:
        """Return the rows of a mail to a shopper; none if nothing is known of what they like.

        Raises:
            RowsUnavailable: the API does not answer, or can't answer now.
        """
        path = f"/v1/recommendations/{in_path(shopper_id)}/rows"
        try:
            answer = await self._http.get(path, params={"page": "email", "n": ROW_LENGTH})
            rows = answer.raise_for_status().json()["rows"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise RowsUnavailable(str(error) or type(error).__name__) from error
        return [_row(each) for each in rows]


def _row(row: Any) -> RecommendedRow:
    return RecommendedRow(
        row["title"],
        row["recommendation_id"],
        [
            RecommendedProduct(
                item["product_id"], item["name"], item["price_minor"], item["currency"], position
            )
            for position, item in enumerate(row["items"], 1)
        ],
    )
