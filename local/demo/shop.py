"""What the API answers about the shop's day so far, and how fresh that and its recommendations are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from common.clock import Clock
from common.errors import PartUnavailable
from common.settings import Settings

TIMEOUT_S = 3.0

NOBODY = "nobody"
"""Whose recommendations are asked for: they know of the same views as everyone's."""


@dataclass(frozen=True)
class Day:
    """The marketplace's figures since midnight in the shop's time zone."""

    orders: int
    revenue_minor: int
    cancelled: int
    sellers: int
    """How many sold something."""
    currency: str
    behind: timedelta | None
    """How long ago the newest moment was whose every event is in these figures; None: nothing flowed yet."""
    views_behind: timedelta | None
    """How long ago the newest view was that recommendations know of; None: they know of none."""


class ShopFigures:
    """Asks for the day's figures over one kept connection."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._zone, self._clock = settings.timezone, clock
        self._http = httpx.Client(base_url=settings.serving, timeout=TIMEOUT_S, trust_env=False)

    def today(self) -> Day:
        """The figures of this moment.

        Raises:
            PartUnavailable: the API does not answer them.
        """
        today = self._clock().astimezone(self._zone).date().isoformat()
        said = self._get("/v1/marketplace/sales", {"from": today, "grain": "day"})
        recommended = self._get(f"/v1/recommendations/{NOBODY}", {"n": "1"})
        totals = said["totals"]
        return Day(
            orders=totals["orders"],
            revenue_minor=totals["revenue_minor"],
            cancelled=totals["cancelled"]["orders"],
            sellers=totals["active_sellers"],
            currency=said["currency"],
            behind=self._since(said["as_of"]),
            views_behind=self._since(recommended["as_of"]),
        )

    def _get(self, path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._http.get(path, params=parameters).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise PartUnavailable(f"the API does not answer: {error}") from error
        return found

    def _since(self, as_of: str | None) -> timedelta | None:
        return self._clock() - datetime.fromisoformat(as_of) if as_of else None

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
