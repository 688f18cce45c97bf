"""Asks the API for a figure that a confirmed order is part of, as the last step of the order's trace."""

import time
from pathlib import Path
from secrets import token_hex

import httpx
import structlog
from clickhouse_connect.driver.client import Client

from common.principal_token import PlatformToken
from common.settings import Settings
from common.tracing import Span, record_span, trace_span

log = structlog.get_logger()

SERVICE = "trace follower"
GIVE_UP_S = 120.0
"""Longer than the longest pause between two looks."""

TIMEOUT_S = 10.0

MAX_WAITING = 2
"""Orders whose figure is waited for at the same time. The traces of further ones end without it."""

_QUERY = Path(__file__).parent / "queries" / "sellers_of_orders.sql"


class FigureFollower:
    """Requests the sales of confirmed orders' sellers, once ClickHouse has the orders' rows of sales.

    The span `wait for sales` ends when `advance` finds these rows, or after `GIVE_UP_S`. `show sales` is one
    request of the API, whose spans and queries on ClickHouse are its children. Its attribute `as_of` is the
    time up to which the API says that the figure is complete; in a quiet shop, it stays some seconds before
    the order.
    """

    def __init__(self, settings: Settings) -> None:
        # One client for all requests: to make one takes longer than a request.
        self._api = httpx.Client(
            base_url=settings.serving,
            auth=PlatformToken(settings, "traces"),
            timeout=TIMEOUT_S,
            trust_env=False,
        )
        self._waiting: dict[str, Span] = {}
        """Order → its open span `wait for sales`."""

    def close(self) -> None:
        """Close the connection to the API."""
        self._api.close()

    def add(self, order_id: str, stored: Span) -> None:
        """Begin to wait for an order that the span `stored` stored, unless `MAX_WAITING` are waited for."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting[order_id] = Span(
                SERVICE, "wait for sales", stored.trace_id, token_hex(8), stored.span_id, "internal",
                time.time_ns(), {"order.id": order_id},
            )  # fmt: skip

    def advance(self, client: Client) -> None:
        """Request the figures of the orders whose rows of sales are in ClickHouse by now."""
        if not self._waiting:
            return
        query = _QUERY.read_text(encoding="utf-8")
        rows = client.query(query, parameters={"order_ids": [*self._waiting]}).result_rows
        for order_id, seller_id in rows:
            waited = self._waiting.pop(order_id)
            record_span(waited, time.time_ns())
            self._show(order_id, seller_id, waited)
        oldest_ns = time.time_ns() - GIVE_UP_S * 1e9
        for order_id in [each for each, span in self._waiting.items() if span.started_ns < oldest_ns]:
            given_up = self._waiting.pop(order_id)
            given_up.attributes["error"] = "PartUnavailable"
            record_span(given_up, time.time_ns())
            log.warning("a trace ends before its figure", reason=f"no sales after {GIVE_UP_S:.0f} s")

    def _show(self, order_id: str, seller_id: str, waited: Span) -> None:
        attributes = {"order.id": order_id, "seller.id": seller_id}
        try:
            with trace_span(
                SERVICE, "show sales", "client", waited.trace_id, waited.span_id, attributes
            ) as shown:
                assert shown is not None
                response = self._api.get(
                    f"/v1/sellers/{seller_id}/sales", headers={"traceparent": shown.traceparent}
                ).raise_for_status()
                shown.attributes["as_of"] = str(response.json()["as_of"])
        except httpx.HTTPError as error:
            log.warning("a trace ends before its figure", reason=str(error))
        except (ValueError, LookupError, TypeError) as error:
            reason = f"the API's answer has no `as_of` ({type(error).__name__})"
            log.warning("a trace ends before its figure", reason=reason)
