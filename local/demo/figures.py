"""Reads today's figures of the marketplace from the API, and how fresh they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from common.clock import Clock
from common.errors import PartUnavailable
from common.principal_token import PlatformToken
from common.settings import Settings

TIMEOUT_S = 3.0

UNKNOWN_SHOPPER = "nobody"
"""The recommendations for an unknown shopper are as fresh as those for other shoppers."""


@dataclass(frozen=True)
class DayFigures:
    """The marketplace's figures since midnight in the shop's time zone."""

    orders: int
    net_sales_minor: int
    cancelled: int
    sellers: int
    """Sellers with at least one sale."""
    currency: str
    behind: timedelta | None
    """Age of `as_of`: the figures contain all events up to then. None before the first event."""
    views_behind: timedelta | None
    """Age of the newest view in the recommendations. None if there is none."""


class FiguresClient:
    """Requests the day's figures over one persistent connection."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._zone, self._clock = settings.timezone, clock
        self._http = httpx.Client(
            base_url=settings.serving,
            timeout=TIMEOUT_S,
            trust_env=False,
            auth=PlatformToken(settings, "demo"),
        )

    def today(self) -> DayFigures:
        """Return the current figures.

        Raises:
            PartUnavailable: the API gives no valid answer.
        """
        today = self._clock().astimezone(self._zone).date().isoformat()
        # With both bounds, the API does not look up the newest sale first.
        sales = self._get("/v1/marketplace/sales", {"from": today, "until": today, "grain": "day"})
        recommendations = self._get(f"/v1/recommendations/{UNKNOWN_SHOPPER}", {"n": "1"})
        totals = sales["totals"]
        return DayFigures(
            orders=totals["orders"],
            net_sales_minor=totals["net_sales_minor"],
            cancelled=totals["cancelled"]["orders"],
            sellers=totals["active_sellers"],
            currency=sales["currency"],
            behind=self._age(sales["as_of"]),
            views_behind=self._age(recommendations["as_of"]),
        )

    def _get(self, path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._http.get(path, params=parameters).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise PartUnavailable(f"the API does not answer: {error}") from error
        return answer

    def _age(self, as_of: str | None) -> timedelta | None:
        return self._clock() - datetime.fromisoformat(as_of) if as_of else None

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
