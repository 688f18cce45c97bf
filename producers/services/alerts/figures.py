"""Reads metrics as the API shows them to the seller: the same figures, `as_of` and refusals."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

import httpx

from common.principal_token import PlatformToken
from common.request_path import in_path
from common.settings import Settings
from producers.services.alerts.windows import Bucket

TIMEOUT_S = 15.0

CATALOGUE_MAX_AGE_S = 600.0
"""The catalogue changes with the version of the platform only."""


class FiguresUnavailable(Exception):
    """The API does not answer, or can't answer now. The text says why. Nothing is known of the figures."""


class FiguresRefused(Exception):
    """The API refuses the request, and would do so again. The text says why, for the seller."""


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """What the catalogue says about a metric."""

    name: str
    title: str
    unit: str
    dimensions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Series:
    """The values of a metric over time. `as_of`: they are complete up to then; None if that is not known."""

    buckets: Sequence[Bucket]
    as_of: datetime | None
    currency: str


@dataclass(frozen=True, slots=True)
class Total:
    """A metric over a period, in its unit, and over the period before. None: there is no value."""

    name: str
    title: str
    unit: str
    value: float | None
    compared: float | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Metrics over a period. `as_of` as of `Series`."""

    metrics: Sequence[Total]
    as_of: datetime | None
    currency: str


class FiguresClient(AbstractAsyncContextManager["FiguresClient"]):
    """A client of the API, as a process of the platform. Use it as an async context manager."""

    def __init__(self, settings: Settings) -> None:
        self._http = httpx.AsyncClient(
            base_url=settings.serving,
            auth=PlatformToken(settings, "alerts"),
            # These series are asked for once, and must not replace what people would see in an outage.
            headers={"Cache-Control": "no-store"},
            timeout=TIMEOUT_S,
            trust_env=False,
        )
        self._catalogue: Mapping[str, CatalogueEntry] = {}
        self._catalogue_read_at = float("-inf")

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def definition(self, metric: str) -> CatalogueEntry | None:
        """Return the definition of a metric; None if the catalogue has none of this name.

        Raises:
            FiguresUnavailable: the catalogue can't be read.
            FiguresRefused: the API refuses the request.
        """
        if monotonic() - self._catalogue_read_at > CATALOGUE_MAX_AGE_S:
            content = await self._get("/v1/analytics/metrics", {})
            self._catalogue = {
                each["name"]: CatalogueEntry(
                    each["name"], each["title"], each["unit"], tuple(each["dimensions"])
                )
                for each in content["metrics"]
            }
            self._catalogue_read_at = monotonic()
        return self._catalogue.get(metric)

    async def series(
        self,
        seller_id: str,
        metric: str,
        product_id: str | None,
        grain: str,
        period: tuple[datetime, datetime],
    ) -> Series:
        """Return a metric of a seller by hour, day or week.

        Raises:
            FiguresUnavailable: the figures can't be read, or are the last ones from before an outage.
            FiguresRefused: the API refuses the request, such as that for a metric that was removed.
        """
        query = {"grain": grain, "compare": "none", **_bounds(period)}
        if product_id is not None:
            query["product"] = product_id
        content = await self._of_seller(seller_id, metric, query)
        buckets = [
            Bucket(_moment(each["start"]), _moment(each["end"]), each["values"][metric])
            for each in content["series"]
        ]
        return Series(buckets, _as_of(content), content["currency"])

    async def totals(
        self, seller_id: str, metrics: Sequence[str], period: tuple[datetime, datetime]
    ) -> Totals:
        """Return metrics of a seller over a period, and over the one before.

        Raises: as `series`.
        """
        query = {"with": ",".join(metrics[1:]), "grain": "month", **_bounds(period)}
        content = await self._of_seller(seller_id, metrics[0], query)
        totals = [
            Total(each["name"], each["title"], each["unit"], each["value"], each["compared"])
            for each in content["totals"]
        ]
        return Totals(totals, _as_of(content), content["currency"])

    async def _of_seller(self, seller_id: str, metric: str, query: Mapping[str, str]) -> Any:
        path = f"/v1/sellers/{in_path(seller_id)}/analytics/{metric}"
        content = await self._get(path, query)
        if content["stale"]:
            raise FiguresUnavailable("the figures are older ones, because ClickHouse does not answer")
        return content

    async def _get(self, path: str, query: Mapping[str, str]) -> Any:
        try:
            response = await self._http.get(path, params=dict(query))
        except httpx.HTTPError as error:
            raise FiguresUnavailable(f"the API does not answer ({type(error).__name__})") from error
        if response.status_code in (401, 408, 429) or response.status_code >= 500:
            raise FiguresUnavailable(f"the API answers {response.status_code}")
        if not response.is_success:
            raise FiguresRefused(_detail(response))
        try:
            return response.json()
        except ValueError as error:
            raise FiguresUnavailable("the API's answer is no JSON") from error


def _bounds(period: tuple[datetime, datetime]) -> dict[str, str]:
    return {"from": period[0].isoformat(), "to": period[1].isoformat()}


def _as_of(content: Any) -> datetime | None:
    return None if content["as_of"] is None else _moment(content["as_of"])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _detail(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the API answers {response.status_code}"
