"""The open analytics domain, and the parts of it that routes and pages read."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from serving.analytics.dashboards import Analytics, Dashboards
from serving.analytics.seller_sql import SellerSql
from serving.kit.domain import opened, reads
from serving.kit.stream_slots import StreamSlots


@dataclass(frozen=True, slots=True)
class AnalyticsDomain:
    """Figures of sellers and of the marketplace, sellers' own queries, and places for long responses."""

    services: Analytics
    dashboards: Dashboards
    seller_sql: SellerSql
    export_slots: StreamSlots
    live_slots: StreamSlots


async def _analytics(request: Request) -> Analytics:
    return opened(request, AnalyticsDomain).services


async def _dashboards(request: Request) -> Dashboards:
    return opened(request, AnalyticsDomain).dashboards


AnalyticsDomainDep = Annotated[AnalyticsDomain, Depends(reads(AnalyticsDomain))]
AnalyticsDep = Annotated[Analytics, Depends(_analytics)]
DashboardsDep = Annotated[Dashboards, Depends(_dashboards)]
