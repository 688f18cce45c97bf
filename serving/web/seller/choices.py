"""What the pages of a seller share: the chosen period and comparison, and the seller who never registered."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from serving.analytics.service.dashboards import Dashboards
from serving.kit.analytics_context import PeriodRequest, utc_minute
from serving.kit.clickhouse import Row
from serving.web import presenters
from serving.web.formatter import Formatter
from serving.web.translation import N_

COMPARISONS: Mapping[Literal["previous", "year"], str] = {
    "previous": N_("Period before"),
    "year": N_("Year before"),
}

UNREGISTERED: Row = dict.fromkeys(("name", "city", "state"))
"""The name and place of a seller that never registered."""


async def chosen_period(
    dashboards: Dashboards, seller_id: str, preset: presenters.Preset, formatter: Formatter
) -> PeriodRequest:
    """Return the bounds of a preset, which ends on the day of the seller's newest sale."""
    span = await dashboards.seller_span(seller_id)
    return presenters.preset_period(preset, utc_minute(span.first), utc_minute(span.newest), formatter)


async def all_time(dashboards: Dashboards, seller_id: str, formatter: Formatter) -> PeriodRequest:
    """Return the time from the first sale to the end of today: refunds and reviews follow the newest sale."""
    first = utc_minute((await dashboards.seller_span(seller_id)).first)
    if first is None:
        return PeriodRequest()
    tomorrow = dashboards.analytics.context.clock().astimezone(formatter.zone).date() + timedelta(days=1)
    start = first.astimezone(formatter.zone).date()
    return PeriodRequest(start.isoformat(), max(tomorrow, start + timedelta(days=1)).isoformat(), "month")
