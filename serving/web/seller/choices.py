"""What the pages of a seller share: the chosen period and comparison, and the seller who never registered."""

from collections.abc import Mapping
from typing import Literal

from serving.analytics.service.context import PeriodRequest, utc_minute
from serving.analytics.service.dashboards import Dashboards
from serving.clickhouse import Row
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
