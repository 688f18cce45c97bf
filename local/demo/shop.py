"""What the API answers about the shop's day so far, and how fresh that is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from common.clock import Clock
from common.errors import PartUnavailable
from common.settings import Settings

TIMEOUT_S = 3.0


@dataclass(frozen=True)
class Day:
    """The marketplace's figures since midnight in the shop's time zone."""

    orders: int
    revenue_minor: int
    cancelled: int
    sellers: int
    """How many sold something."""
    currency: str
    complete_to: datetime | None
    """The newest moment whose every event is in these figures; None: nothing flowed yet."""
    behind: timedelta | None
    """How long ago that was."""


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
        try:
            answer = self._http.get("/v1/marketplace/sales", params={"from": today, "grain": "day"})
            said = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise PartUnavailable(f"the API does not answer: {error}") from error
        totals, as_of = said["totals"], said["as_of"]
        complete_to = datetime.fromisoformat(as_of) if as_of else None
        return Day(
            orders=totals["orders"],
            revenue_minor=totals["revenue_minor"],
            cancelled=totals["cancelled"]["orders"],
            sellers=totals["active_sellers"],
            currency=said["currency"],
            complete_to=complete_to,
            behind=self._clock() - complete_to if complete_to else None,
        )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
