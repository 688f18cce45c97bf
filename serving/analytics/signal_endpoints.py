"""The routes under `/v1` that return signals: patterns of events that sellers and operators must know of."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from common.signals import SignalKind
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.policy import POLICIES
from serving.analytics.signals import SIGNAL_COLUMNS, SellerSignals, Signals, SignalsRequest
from serving.gateway.described_routes import guarded
from serving.kit.parameters import Cursor, PeriodDep, SellerId, reject_repeated_parameters
from serving.kit.responses import (
    BAD_PARAMETER,
    CSV_RESPONSE,
    UNAVAILABLE,
    UNCHANGED,
    UNKNOWN_SELLER,
    CsvFormat,
    ResponderDep,
)

SIGNALS_CSV = CsvFormat(SIGNAL_COLUMNS, lambda content: content["signals"])

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    responses=BAD_PARAMETER | UNAVAILABLE | UNCHANGED,
    dependencies=[Depends(reject_repeated_parameters)],
)


async def _signals_request(
    period: PeriodDep,
    kind: Annotated[SignalKind | None, Query(description="Default: every kind.")] = None,
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> SignalsRequest:
    return SignalsRequest(period, kind, cursor, limit)


SignalsDep = Annotated[SignalsRequest, Depends(_signals_request)]


@router.get(
    "/sellers/{seller_id}/signals",
    tags=["sellers"],
    summary="What a seller must know of",
    response_model=SellerSignals,
    responses=UNKNOWN_SELLER | CSV_RESPONSE,
)
async def seller_signals(
    dashboards: DashboardsDep, respond: ResponderDep, seller_id: SellerId, asked: SignalsDep
) -> Response:
    """Return the signals of a seller that were raised in a period, the newest first.

    Without a period, all are listed. A period without an end ends with the present day. A signal is never
    taken back. The CSV form has no figures; the sentence has them.
    """
    return respond(await dashboards.signals_of_seller(seller_id, asked), SIGNALS_CSV)


@router.get(
    "/marketplace/signals",
    tags=["marketplace"],
    summary="What the marketplace must know of",
    response_model=Signals,
    responses=CSV_RESPONSE,
)
async def marketplace_signals(
    dashboards: DashboardsDep, respond: ResponderDep, asked: SignalsDep
) -> Response:
    """Return the signals of all sellers, and those of the marketplace itself, the newest first."""
    return respond(await dashboards.signals_of_marketplace(asked), SIGNALS_CSV)
