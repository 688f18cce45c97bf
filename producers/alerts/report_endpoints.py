"""`/v1/sellers/{seller_id}/reports`: reports about a seller's metrics, sent by mail for each period."""

from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from common.ids import Id, new_id
from producers.alerts import report_store
from producers.alerts.checks import check_metric, find_mail_target, require_seller
from producers.alerts.context import AlertsContext
from producers.alerts.model import MAX_REPORTS
from producers.alerts.policy import POLICIES
from producers.alerts.problems import NoRecipient, TooMany, UnknownThing
from producers.alerts.report_periods import next_send_at, period_before
from producers.alerts.report_store import Report
from producers.alerts.schemas import (
    NAME,
    REPORT_REQUEST,
    ReportRequest,
    ReportResponse,
    ReportsResponse,
    Uuid,
)
from producers.http.endpoint import context, json_response, parse_body, transaction, transactions
from producers.http.guard import principal_of
from producers.outbox.transaction import Transaction

PATH = "/v1/sellers/{seller_id}/reports"

router = APIRouter(prefix=PATH, tags=[NAME], route_class=guarded(POLICIES))


@router.get("", response_model=ReportsResponse)
async def list_reports(request: Request, seller_id: Id) -> Response:
    """The reports of a seller, the oldest first."""
    async with transactions(request, NAME).connection() as sql:
        return json_response({"reports": await report_store.find_reports(sql, seller_id)})


@router.post("", status_code=201, response_model=ReportResponse)
async def create_report(request: Request, seller_id: Id) -> Response:
    """Create a report. The first one is sent when the next day, week or month is over."""
    body: ReportRequest = await parse_body(request, REPORT_REQUEST)
    alerts: AlertsContext = context(request, NAME)
    for metric in body.metrics:
        await check_metric(alerts.figures, metric)
    target = await find_mail_target(alerts.peers, body.address, seller_id)
    async with transaction(request, NAME, seller_id) as tx:
        await require_seller(tx, seller_id)
        row = _row(tx, seller_id, body, alerts.timezone) | target
        row |= {"maker": principal_of(request).subject}
        created = await report_store.create_report(tx, row, MAX_REPORTS)
    if created is None:
        raise TooMany("reports", MAX_REPORTS)
    return json_response(created, 201)


@router.delete("/{report_id}", status_code=204)
async def delete_report(request: Request, seller_id: Id, report_id: Uuid) -> Response:
    """Delete a report."""
    async with transaction(request, NAME, seller_id) as tx:
        await _lock(tx, seller_id, report_id)
        await report_store.delete_report(tx, report_id)
    return Response(status_code=204)


@router.post("/{report_id}/pause", response_model=ReportResponse)
async def pause_report(request: Request, seller_id: Id, report_id: Uuid) -> Response:
    """Send no more mails of a report."""
    async with transaction(request, NAME, seller_id) as tx:
        await _lock(tx, seller_id, report_id)
        await report_store.pause_report(tx, report_id, None)
        return json_response(await report_store.find_report(tx.sql, seller_id, report_id))


@router.delete("/{report_id}/pause", response_model=ReportResponse)
async def resume_report(request: Request, seller_id: Id, report_id: Uuid) -> Response:
    """Send mails of a report again, as a report of yours, from the next one that is due."""
    async with transaction(request, NAME, seller_id) as tx:
        report = await _lock(tx, seller_id, report_id)
        if report.person_id is None:
            raise NoRecipient
        due = next_send_at(report.period, report.hour, tx.now, report.zone)
        await report_store.resume_report(tx, report_id, due, principal_of(request).subject)
        return json_response(await report_store.find_report(tx.sql, seller_id, report_id))


async def _lock(tx: Transaction, seller_id: str, report_id: str) -> Report:
    report = await report_store.lock_report(tx, seller_id, report_id)
    if report is None:
        raise UnknownThing("report", PATH)
    return report


def _row(tx: Transaction, seller_id: str, body: ReportRequest, shop_timezone: str) -> dict[str, Any]:
    """Return the columns of a new report, without those of its person."""
    timezone = body.timezone or shop_timezone
    zone = ZoneInfo(timezone)
    return {
        "report_id": new_id(),
        "seller_id": seller_id,
        "name": body.name,
        "period": body.period,
        "metrics": body.metrics,
        "timezone": timezone,
        "hour": body.hour,
        "created_at": tx.now.isoformat(),
        "send_at": next_send_at(body.period, body.hour, tx.now, zone).isoformat(),
        "covered_until": period_before(body.period, tx.now, zone)[1].isoformat(),
    }
