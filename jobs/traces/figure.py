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
GIVE_UP_S = 20.0
TIMEOUT_S = 10.0

_QUERY = Path(__file__).parent / "queries" / "sellers_of_order.sql"


def show_figure(settings: Settings, order_id: str, stored: Span) -> None:
    """Request the sales of the order's first seller until they are complete up to the order.

    The span `show sales` ends with the response whose `as_of` covers the order's confirmation. The requests,
    with their queries on ClickHouse, are its children: they are real ones of the API.
    """
    try:
        with connect(settings) as client:
            query = _QUERY.read_text(encoding="utf-8")
            rows = client.query(query, parameters={"order_id": order_id}).result_rows
        if not rows:
            return
        seller_id, confirmed_ms = rows[0]
        attributes = {"order.id": order_id, "seller.id": seller_id}
        with (
            trace_span(SERVICE, "show sales", "client", stored.trace_id, stored.span_id, attributes) as span,
            httpx.Client(
                base_url=settings.serving,
                timeout=TIMEOUT_S,
                trust_env=False,
                auth=PlatformToken(settings, "traces"),
            ) as http,
        ):
            assert span is not None
            deadline = time.monotonic() + GIVE_UP_S
            while not (shown := _as_of_ms(http, seller_id, span) >= confirmed_ms):
                if time.monotonic() > deadline:
                    break
                time.sleep(EVERY_S)
            span.attributes["figure.includes_order"] = shown
    except (PartUnavailable, httpx.HTTPError) as error:
        log.warning("a trace ends before its figure", reason=str(error))


def _as_of_ms(http: httpx.Client, seller_id: str, span: Span) -> float:
    """Request a seller's sales; return the time up to which they are complete, in Unix milliseconds, or 0."""
    response = http.get(f"/v1/sellers/{seller_id}/sales", headers={"traceparent": span.traceparent})
    if response.status_code == 404:  # the seller's first order
        return 0
    as_of = response.raise_for_status().json()["as_of"]
    return datetime.fromisoformat(as_of).timestamp() * 1000 if as_of else 0
