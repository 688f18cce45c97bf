"""The parameters that several domains share, and the checks that apply to those of every route."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Request

from common.clock import to_millis
from common.cursor import BadCursor, decode_cursor, encode_cursor, moment_of
from common.ids import PRINTABLE, Id
from serving.kit.analytics_context import PeriodRequest
from serving.kit.periods import Grain, day_after
from serving.kit.problems import BAD_PERIOD, UNUSABLE_PARAMETER

SellerId = Annotated[
    Id,
    Path(
        description="The seller's id.",
        examples=["6560211a19b47992c3666cc44a7e94c0"],
    ),
]
Cursor = Annotated[str, Query(max_length=400, description="`next_cursor` of the previous page.")]
ProductId = Annotated[
    Id,
    Path(
        description="The product's id.",
        examples=["product-000001"],
    ),
]
SearchText = Annotated[
    str,
    Query(
        max_length=10_000,
        pattern=PRINTABLE,
        description="Words in English or Portuguese, in any order, or a product's id. The first 12 count.",
        examples=["desk lamp"],
    ),
]
CategoryParam = Annotated[
    str,
    Query(
        max_length=128, pattern=PRINTABLE, description="Only products of this category.", examples=["Lamps"]
    ),
]


def row_cursor(at: datetime, row_id: str) -> str:
    """Return the cursor of the page that follows a row of a list that is sorted by a moment and an id."""
    return encode_cursor(to_millis(at), row_id)


def read_row_cursor(cursor: str) -> tuple[datetime, str]:
    """Return the moment and the id that `row_cursor` was given.

    Raises:
        BadCursor: the text is not a cursor of such a list.
    """
    millis, row_id = decode_cursor(cursor, (int, str))
    if not row_id:
        raise BadCursor
    return moment_of(millis), str(row_id)


def reject_repeated(*lists: str) -> Callable[[Request], Awaitable[None]]:
    """Return the dependency of routes of which only the parameters `lists` may be given twice.

    Without it, the last value would win silently.
    """

    async def reject(request: Request) -> None:
        for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
            if times > 1 and name not in lists:
                raise UNUSABLE_PARAMETER(detail=f"{name} is given {times} times. Give it once.")

    return reject


reject_repeated_parameters = reject_repeated()
"""The dependency of routes that take each parameter once."""


def period_end(end: str | None, until: str | None) -> str | None:
    """Return the exclusive end of a period from `to` (exclusive) or `until` (the last day, inclusive).

    Raises:
        BAD_PERIOD: both are given, or `until` is not a day.
    """
    if until is None:
        return end
    if end is not None:
        raise BAD_PERIOD(detail="to and until are given. Give one: to is exclusive, until is the last day.")
    return day_after(until, "until")


async def _period_request(
    start: Annotated[
        str | None,
        Query(
            alias="from",
            max_length=40,
            description="Inclusive. An ISO date or datetime, in the shop's time zone unless it has an "
            "offset; to the minute. Default: 30 days before the end.",
            examples=["2018-08-01"],
        ),
    ] = None,
    end: Annotated[
        str | None,
        Query(
            alias="to",
            max_length=40,
            description="Exclusive. Default: the end of the newest day that has data. This is the "
            "canonical way to end a period.",
            examples=["2018-09-01"],
        ),
    ] = None,
    until: Annotated[
        str | None,
        Query(
            max_length=40,
            description="The last day, inclusive: `until=2018-08-31` is `to=2018-09-01`. Give `to` or "
            "`until`, not both.",
        ),
    ] = None,
) -> PeriodRequest:
    return PeriodRequest(start, period_end(end, until))


PeriodDep = Annotated[PeriodRequest, Depends(_period_request)]
GrainParam = Annotated[
    Grain | None,
    Query(
        description="The length of a bucket; weeks begin on Monday. Default: by the period's length.",
        examples=["day"],
    ),
]
