"""What the pages with a seller's figures share: the chosen period and comparison, their head and links."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE
from serving.analytics.dashboards import Dashboards
from serving.gateway.gateway import identity_of
from serving.kit.analytics_context import PeriodRequest, utc_minute
from serving.kit.clickhouse import Row
from serving.kit.domain import opened
from serving.kit.parameters import period_end
from serving.web import presenters
from serving.web.formatter import Formatter
from serving.web.policy import may_manage
from serving.web.renderer import PageRenderer, not_stored_if
from serving.web.translation import N_

COMPARISONS: Mapping[Literal["previous", "year"], str] = {
    "previous": N_("Period before"),
    "year": N_("Year before"),
}

DEFAULT_PRESET: presenters.Preset = "30d"
"""The period that pages open with."""

Bound = Annotated[str, Query(max_length=40, pattern=PRINTABLE)]
To = Annotated[str, Query(alias="to", max_length=40, pattern=PRINTABLE)]
From = Annotated[str, Query(alias="from", max_length=40, pattern=PRINTABLE)]

UNREGISTERED: Row = dict.fromkeys(("name", "city", "state"))
"""The name and place of a seller that never registered."""


@dataclass(frozen=True, slots=True)
class PeriodChoice:
    """The period that a visitor chose: days, or a preset; None of them yet on the first page.

    `first` and `until` are the first and the last day, `end` is an exclusive end, as in the API.
    """

    preset: presenters.Preset | None
    first: str
    until: str
    end: str

    @property
    def has_days(self) -> bool:
        """Whether days were chosen, and not a preset."""
        return bool(self.first or self.until or self.end)

    def days(self, formatter: Formatter) -> PeriodRequest:
        """Return the chosen days.

        Raises:
            BAD_PERIOD: a bound is no date, or the first day is after the last.
        """
        if self.end:
            return PeriodRequest(self.first or None, period_end(self.end, self.until or None))
        return presenters.custom_period(self.first, self.until, formatter)

    def choices(
        self, default: presenters.Preset = DEFAULT_PRESET, **others: str | int
    ) -> dict[str, str | int]:
        """Return the choices of a page as parameters: the period, and those of the page."""
        days = {
            name: day for name, day in (("from", self.first), ("until", self.until), ("to", self.end)) if day
        }
        return {**(days or {"period": self.preset or default}), **others}


async def _period_choice(
    period: presenters.Preset | None = None, first: From = "", until: Bound = "", end: To = ""
) -> PeriodChoice:
    return PeriodChoice(period, first, until, end)


PeriodChoiceDep = Annotated[PeriodChoice, Depends(_period_choice)]


def handed_on(request: Request) -> dict[str, str]:
    """Return the parameters of the chosen period, which the tabs of a seller's pages keep."""
    return {name: request.query_params[name] for name in presenters.PERIOD if name in request.query_params}


def figures_page(
    request: Request,
    template: str,
    dashboards: Dashboards,
    details: Row | None,
    choices: Mapping[str, str | int],
    *,
    stale: bool,
    **shown: Any,
) -> Response:
    """Return a page with figures of a seller about a period; if they are stale, nobody stores it.

    `details` are those of the seller, and `choices` what the visitor chose: links change one of them each.
    """
    seller_id = request.path_params["seller_id"]
    page = opened(request, PageRenderer)(
        template,
        seller=details or UNREGISTERED,
        seller_id=seller_id,
        tabs=handed_on(request),
        may_manage=may_manage(identity_of(request).principal, seller_id),
        choices=choices,
        link=links(choices),
        comparisons=COMPARISONS,
        now=dashboards.analytics.context.clock(),
        **shown,
    )
    return not_stored_if(stale, page)


def links(choices: Mapping[str, str | int]) -> Callable[..., str]:
    """Return a function that returns the link to a page with some choices changed."""

    def link(**changed: str | int) -> str:
        replaced = presenters.PERIOD if "period" in changed else ()
        kept = {name: value for name, value in choices.items() if name == "period" or name not in replaced}
        return f"?{urlencode(kept | changed)}"

    return link


async def chosen_period(
    dashboards: Dashboards,
    seller_id: str,
    chosen: PeriodChoice,
    formatter: Formatter,
    default: presenters.Preset = DEFAULT_PRESET,
) -> PeriodRequest:
    """Return the bounds of the chosen period. See `presenters.preset_period`.

    Raises: as `PeriodChoice.days`.
    """
    if chosen.has_days:
        return chosen.days(formatter)
    span = await dashboards.seller_span(seller_id)
    first, newest, now = utc_minute(span.first), utc_minute(span.newest), dashboards.analytics.context.clock()
    return presenters.preset_period(chosen.preset or default, first, newest, now, formatter)


async def all_time(dashboards: Dashboards, seller_id: str, formatter: Formatter) -> PeriodRequest:
    """Return the time from the first sale to the end of today: refunds and reviews follow the newest sale."""
    first = utc_minute((await dashboards.seller_span(seller_id)).first)
    if first is None:
        return PeriodRequest()
    tomorrow = dashboards.analytics.context.clock().astimezone(formatter.zone).date() + timedelta(days=1)
    start = first.astimezone(formatter.zone).date()
    return PeriodRequest(start.isoformat(), max(tomorrow, start + timedelta(days=1)).isoformat(), "month")
