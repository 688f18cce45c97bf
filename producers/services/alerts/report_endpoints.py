"""`/v1/sellers/{seller_id}/reports`: reports about a seller's metrics, sent by mail for each period."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Uuid, new_id
from common.openapi import openapi_problem
from producers.kit.http.endpoint import context, json_response, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.problems import require
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.kit.outbox.transaction import Transaction
from producers.services.alerts import report_store
from producers.services.alerts.context import AlertsContext, check_metric, find_mail_target, require_seller
from producers.services.alerts.model import MAX_REPORTS, READ, WRITE
from producers.services.alerts.problems import NO_RECIPIENT, TOO_MANY, UNKNOWN_THING
from producers.services.alerts.report_store import Report
from producers.services.alerts.schemas import NAME, ReportRequest, ReportResponse, ReportsResponse
from producers.services.alerts.windows import next_send_at, period_before

PATH = "/v1/sellers/{seller_id}/reports"

EXAMPLE_REPORT = {
    "name": "Every morning",
    "period": "day",
    "metrics": ["net_sales", "orders", "returns"],
    "address": "ana@lamps.example",
}

ReportId = Annotated[Uuid, Path(description="The report's id.")]

router = APIRouter(prefix=PATH, tags=[NAME], route_class=PublicRoute)


@router.get("", summary="The reports of a seller", response_model=ReportsResponse)
@policy(READ)
async def reports(request: Request, seller_id: SellerPath) -> Response:
    """Return the reports that a seller's staff gets by mail."""
    async with transactions(request, NAME).connection() as sql:
        return json_response({"reports": await report_store.find_reports(sql, seller_id)})


@router.post(
    "",
    summary="Create a report",
    status_code=201,
    response_model=ReportResponse,
    responses=openapi_problem(409, f"A seller may have {MAX_REPORTS} reports."),
)
@policy(WRITE)
async def create_report(
    request: Request, seller_id: SellerPath, body: Annotated[ReportRequest, JsonBody(EXAMPLE_REPORT)]
) -> Response:
    """Create a report about each day, week or month, with the change since the one before.

    It goes by mail to a person of the staff who may see figures, once the figures of the period are complete.
    """
    alerts: AlertsContext = context(request, NAME)
    for metric in body.metrics:
        await check_metric(alerts.figures, metric)
    target = await find_mail_target(alerts.peers, body.address, seller_id)
    async with transaction(request, NAME, seller_id) as tx:
        await require_seller(tx, seller_id)
        row = _row(tx, seller_id, body, alerts.timezone) | target | {"maker": principal_of(request).subject}
        created = await report_store.create_report(tx, row, MAX_REPORTS)
    return json_response(require(created, TOO_MANY(what="reports", limit=MAX_REPORTS)), 201)


@router.delete("/{report_id}", summary="Delete a report", status_code=204)
@policy(WRITE)
async def delete_report(request: Request, seller_id: SellerPath, report_id: ReportId) -> None:
    """Delete a report."""
    async with transaction(request, NAME, seller_id) as tx:
        await _lock(tx, seller_id, report_id)
        await report_store.delete_report(tx, report_id)


@router.post("/{report_id}/pause", summary="Pause a report", response_model=ReportResponse)
@policy(WRITE)
async def pause_report(request: Request, seller_id: SellerPath, report_id: ReportId) -> Response:
    """Send no mails of a report until it is resumed."""
    async with transaction(request, NAME, seller_id) as tx:
        await _lock(tx, seller_id, report_id)
        await report_store.pause_report(tx, report_id, None)
        return json_response(await report_store.find_report(tx.sql, seller_id, report_id))


@router.delete(
    "/{report_id}/pause",
    summary="Resume a report",
    response_model=ReportResponse,
    responses=openapi_problem(409, "The person who got the mails has left."),
)
@policy(WRITE)
async def resume_report(request: Request, seller_id: SellerPath, report_id: ReportId) -> Response:
    """Send mails of a report again, from the next one that is due."""
    async with transaction(request, NAME, seller_id) as tx:
        report = await _lock(tx, seller_id, report_id)
        require(report.person_id, NO_RECIPIENT())
        due = next_send_at(report.period, report.hour, tx.now, report.zone)
        await report_store.resume_report(tx, report_id, due, principal_of(request).subject)
        return json_response(await report_store.find_report(tx.sql, seller_id, report_id))


async def _lock(tx: Transaction, seller_id: str, report_id: str) -> Report:
    report = await report_store.lock_report(tx, seller_id, report_id)
    return require(report, UNKNOWN_THING(what="report", path=PATH))


def _row(tx: Transaction, seller_id: str, body: ReportRequest, shop_timezone: str) -> dict[str, Any]:
    """Return the columns of a new report, without those of its person."""
    timezone = body.timezone or shop_timezone
    zone = ZoneInfo(timezone)
    return {
        **body.model_dump(exclude={"address"}),
        "report_id": new_id(),
        "seller_id": seller_id,
        "timezone": timezone,
        "created_at": tx.now,
        "send_at": next_send_at(body.period, body.hour, tx.now, zone),
        "covered_until": period_before(body.period, tx.now, zone)[1],
    }
