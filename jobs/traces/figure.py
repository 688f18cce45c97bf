"""Asks the API for a figure that a confirmed order is part of, as the last step of the order's trace."""

import time
from pathlib import Path

import httpx
import structlog
from clickhouse_connect.driver.exceptions import Error as ClickHouseError

from clickhouse.client import connect
from common.errors import PartUnavailable
from common.principal_token import PlatformToken
from common.settings import Settings
from common.tracing import Span, trace_span

log = structlog.get_logger()

SERVICE = "trace follower"
EVERY_S = 0.25
GIVE_UP_S = 60.0
TIMEOUT_S = 10.0

_QUERY = Path(__file__).parent / "queries" / "sellers_of_order.sql"


def show_figure(settings: Settings, order_id: str, stored: Span) -> None:
    """Request the sales of the order's first seller, once the order's rows of sales are in ClickHouse.

    The span `wait for sales` ends when they are, or after `GIVE_UP_S`. `show sales` is one request of the
    API, whose spans and queries on ClickHouse are its children. Its attribute `as_of` is the time up to which
    the API says that the figure is complete; in a quiet shop, it stays some seconds before the order.
    """
    attributes = {"order.id": order_id}
    try:
        with trace_span(
            SERVICE, "wait for sales", "internal", stored.trace_id, stored.span_id, attributes
        ) as waiting:
            assert waiting is not None
            seller_id = _wait_for_sales(settings, order_id)
            if seller_id is None:
                raise PartUnavailable(f"order {order_id} is in no figure after {GIVE_UP_S:.0f} s")
        with trace_span(
            SERVICE, "show sales", "client", stored.trace_id, waiting.span_id, attributes
        ) as shown:
            assert shown is not None
            response = httpx.get(
                f"{settings.serving}/v1/sellers/{seller_id}/sales",
                headers={"traceparent": shown.traceparent},
                auth=PlatformToken(settings, "traces"),
                timeout=TIMEOUT_S,
                trust_env=False,
            ).raise_for_status()
            shown.attributes |= {"seller.id": seller_id, "as_of": str(response.json()["as_of"])}
    except (PartUnavailable, ClickHouseError, httpx.HTTPError) as error:
        log.warning("a trace ends before its figure", reason=str(error))


def _wait_for_sales(settings: Settings, order_id: str) -> str | None:
    """Return the first seller with a row of sales of this order; None after `GIVE_UP_S`."""
    query = _QUERY.read_text(encoding="utf-8")
    deadline = time.monotonic() + GIVE_UP_S
    with connect(settings) as client:
        while time.monotonic() < deadline:
            rows = client.query(query, parameters={"order_id": order_id}).result_rows
            if rows:
                return str(rows[0][0])
            time.sleep(EVERY_S)
    return None
