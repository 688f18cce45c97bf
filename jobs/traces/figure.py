"""Asks the API for the figures that a confirmed order is part of, as the last step of the order's trace."""

import time
from datetime import datetime
from pathlib import Path

import httpx
import structlog

from clickhouse.client import connect
from common.errors import PartUnavailable
from common.principal_token import PlatformToken
from common.settings import Settings
from common.tracing import Span, trace_span

log = structlog.get_logger()

SERVICE = "trace follower"
EVERY_S = 0.5
GIVE_UP_S = 60.0
TIMEOUT_S = 10.0

WATERMARK_MS = 1
"""Flink's watermark is this much before the newest event: in a quiet shop, the order itself."""

_QUERY = Path(__file__).parent / "queries" / "sellers_of_order.sql"


def show_figure(settings: Settings, order_id: str, stored: Span) -> None:
    """Request the sales of the order's first seller once they are complete up to the order's confirmation.

    The span `wait for sales` ends when the API's `as_of` covers the order, or after `GIVE_UP_S`. Its requests
    are no part of the trace. Then one request is, with its queries on ClickHouse: it shows the figure that
    the order is part of.
    """
    try:
        with connect(settings) as client:
            query = _QUERY.read_text(encoding="utf-8")
            rows = client.query(query, parameters={"order_id": order_id}).result_rows
        if not rows:
            return
        seller_id, confirmed_ms = rows[0]
        address = f"/v1/sellers/{seller_id}/sales"
        attributes = {"order.id": order_id, "seller.id": seller_id}
        auth = PlatformToken(settings, "traces")
        with httpx.Client(base_url=settings.serving, timeout=TIMEOUT_S, trust_env=False, auth=auth) as http:
            with trace_span(
                SERVICE, "wait for sales", "internal", stored.trace_id, stored.span_id, attributes
            ) as waiting:
                assert waiting is not None
                waiting.attributes["complete"] = _wait_until_complete(http, address, confirmed_ms)
            with trace_span(
                SERVICE, "show sales", "client", stored.trace_id, waiting.span_id, attributes
            ) as shown:
                assert shown is not None
                http.get(address, headers={"traceparent": shown.traceparent}).raise_for_status()
    except (PartUnavailable, httpx.HTTPError) as error:
        log.warning("a trace ends before its figure", reason=str(error))


def _wait_until_complete(http: httpx.Client, address: str, confirmed_ms: int) -> bool:
    """Request sales until they are complete up to a time; return False after `GIVE_UP_S`."""
    deadline = time.monotonic() + GIVE_UP_S
    while time.monotonic() < deadline:
        response = http.get(address)
        if response.status_code != 404:  # 404: the seller's first order is not there yet
            as_of = response.raise_for_status().json()["as_of"]
            if as_of and datetime.fromisoformat(as_of).timestamp() * 1000 >= confirmed_ms - WATERMARK_MS:
                return True
        time.sleep(EVERY_S)
    return False
