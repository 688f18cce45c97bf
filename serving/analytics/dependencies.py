"""The open analytics domain, and the parts of it that routes and pages read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from serving.analytics.dashboards import Analytics, Dashboards
from serving.analytics.seller_sql import SellerSql
from serving.kit.domain import opened, part_of, reads
from serving.kit.stream_slots import StreamSlots


@dataclass(frozen=True, slots=True)
class AnalyticsDomain:
    """Figures of sellers and of the marketplace, sellers' own queries, and places for long responses."""

    services: Analytics
    dashboards: Dashboards
    seller_sql: SellerSql
    export_slots: StreamSlots
    live_slots: StreamSlots


AnalyticsDomainDep = Annotated[AnalyticsDomain, Depends(reads(AnalyticsDomain))]
AnalyticsDep = Annotated[Analytics, Depends(part_of(AnalyticsDomain, lambda domain: domain.services))]
DashboardsDep = Annotated[Dashboards, Depends(part_of(AnalyticsDomain, lambda domain: domain.dashboards))]


def now(request: Request) -> datetime:
    """Return the time by the clock of the figures."""
    return opened(request, AnalyticsDomain).services.context.clock()
