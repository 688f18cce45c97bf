"""The signals of a seller or of the whole marketplace, page by page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field
from typing_extensions import TypedDict

from common.clock import from_millis, to_millis
from common.cursor import BadCursor, decode_cursor, encode_cursor, moment_of
from common.signals import SignalKind, SubjectKind
from serving.analytics.orders import ALL_TIME
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.clickhouse import Row, Value
from serving.kit.names import UNNAMED, ProductName
from serving.kit.response_types import AsOf, Moment, Stale
from serving.kit.responses import CsvFormat


class Signal(TypedDict):
    """A pattern of events that a seller or an operator must know of."""

    signal_id: Annotated[str, Field(description="A signal that is raised again has the same id.")]
    kind: SignalKind
    seller_id: Annotated[
        str | None, Field(description="Whom it concerns; null if it concerns the marketplace only.")
    ]
    subject_kind: SubjectKind
    subject_id: Annotated[str, Field(description="The product, the seller or the payment method.")]
    label: Annotated[str | None, Field(description="The name of the product.")]
    first_at: Annotated[Moment, Field(description="When what it reports began.")]
    last_at: Annotated[Moment, Field(description="When it was complete, so that the signal was raised.")]
    figures: Annotated[
        dict[str, int],
        Field(description="The figures that raised it.", examples=[{"failures": 5}]),
    ]
    sentence: Annotated[str, Field(examples=["5 payments by pix failed in a row."])]


class Signals(TypedDict):
    """A page of signals, newest first."""

    signals: list[Signal]
    next_cursor: Annotated[
        str | None, Field(description="The `cursor` of the next page; null on the last page.")
    ]
    as_of: AsOf
    stale: Stale


class SellerSignals(Signals):
    """A page of a seller's signals, newest first."""

    seller_id: str


SIGNALS_CSV = CsvFormat(
    tuple(name for name in Signal.__annotations__ if name != "figures"), lambda content: content["signals"]
)
"""A page of signals as CSV."""


def signal_cursor(last: Signal) -> str:
    """Return the cursor of the page that follows this signal."""
    return encode_cursor(to_millis(last["last_at"]), last["signal_id"], last["seller_id"] or "")


def read_signal_cursor(cursor: str) -> tuple[datetime, str, str]:
    """Return when the last signal of the previous page was raised, its id and its seller.

    Raises:
        BadCursor: the text is not a cursor of this list.
    """
    millis, signal_id, seller_id = decode_cursor(cursor, (int, str, str))
    if not signal_id:
        raise BadCursor
    return moment_of(millis), str(signal_id), str(seller_id)


def signal(row: Mapping[str, Any], names: Mapping[str, ProductName], zone: ZoneInfo) -> Signal:
    """Return a signal from its row of the query `seller_signals` or `marketplace_signals`."""
    is_product = row["subject_kind"] == "product"
    return {
        "signal_id": row["signal_id"],
        "kind": row["kind"],
        "seller_id": row["seller_id"] or None,
        "subject_kind": row["subject_kind"],
        "subject_id": row["subject_id"],
        "label": names.get(row["subject_id"], UNNAMED).name if is_product else None,
        "first_at": from_millis(int(row["first_ms"])).astimezone(zone),
        "last_at": from_millis(int(row["last_ms"])).astimezone(zone),
        "figures": {name: int(value) for name, value in row["figures"].items()},
        "sentence": row["sentence"],
    }


def products_of(rows: list[dict[str, Any]]) -> set[str]:
    """Return the products that signals are about."""
    return {row["subject_id"] for row in rows if row["subject_kind"] == "product"}


SIGNAL_TABLES = ("signals",)


@dataclass(frozen=True, slots=True)
class SignalsRequest:
    """Which signals are requested: those raised in a period, of one kind or of all; a page of them."""

    period: PeriodRequest
    kind: SignalKind | None = None
    cursor: str | None = None
    limit: int = 20


async def of_seller(context: AnalyticsContext, seller_id: str, request: SignalsRequest) -> SellerSignals:
    """Return a page of a seller's signals, the newest first. Without a period, all of them are listed.

    Raises:
        UNKNOWN_SELLER: the seller never registered and never sold anything.
    """
    as_of = await context.watermarks.as_of(SIGNAL_TABLES)
    parameters = _parameters(context, request)
    del parameters["before_seller_id"]
    rows = await context.clickhouse.rows("seller_signals", seller_id=seller_id, **parameters)
    await context.require_seller(seller_id, rows)
    page = await _page(context, rows, request.limit)
    return {"seller_id": seller_id, **page, "as_of": context.local(as_of)}


async def of_marketplace(context: AnalyticsContext, request: SignalsRequest) -> Signals:
    """Return a page of the signals of all sellers, and of those that concern no single seller."""
    as_of = await context.watermarks.as_of(SIGNAL_TABLES)
    rows = await context.clickhouse.rows("marketplace_signals", **_parameters(context, request))
    return {**await _page(context, rows, request.limit), "as_of": context.local(as_of)}


def _parameters(context: AnalyticsContext, request: SignalsRequest) -> dict[str, Value]:
    """Return the parameters of the query. A period without an end ends with the present day."""
    is_open = request.period.is_open
    period = ALL_TIME if is_open else context.period(request.period, newest_minute=None)
    before_at, signal_id, seller_id = (
        read_signal_cursor(request.cursor) if request.cursor else (period.end, "", "")
    )
    return {
        "period_start": period.start,
        "period_end": period.end,
        "before_at": before_at,
        "before_signal_id": signal_id,
        "before_seller_id": seller_id,
        "kind": request.kind or "",
        "limit": request.limit + 1,
    }


async def _page(context: AnalyticsContext, rows: list[Row], limit: int) -> Signals:
    more, rows = len(rows) > limit, rows[:limit]
    names = await context.product_names(products_of(rows))
    shown = [signal(row, names, context.zone) for row in rows]
    return {
        "signals": shown,
        "next_cursor": signal_cursor(shown[-1]) if more else None,
        "as_of": None,
        "stale": False,
    }
