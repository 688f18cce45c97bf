"""What addresses and pages take: a seller, a period, a grain, a search."""

from collections import Counter
from typing import Annotated

from fastapi import Depends, Path, Query, Request

from common.ids import PRINTABLE
from serving.analytics.periods import Grain
from serving.analytics.service import Analytics
from serving.analytics.service.shop import Asked
from serving.problems import RepeatedParameter

EXAMPLE_SELLER = "6560211a19b47992c3666cc44a7e94c0"


async def each_once(request: Request) -> None:
    """Refuse a parameter that is given twice, which would silently be its last value.

    Raises:
        RepeatedParameter: one is.
    """
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        if times > 1:
            raise RepeatedParameter(f"{name} is given {times} times. Give it once.")


async def _analytics(request: Request) -> Analytics:
    analytics: Analytics = request.app.state.analytics
    return analytics


Service = Annotated[Analytics, Depends(_analytics)]
SellerId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=128,
        pattern=PRINTABLE,
        description="The seller's id.",
        examples=[EXAMPLE_SELLER],
    ),
]
SearchText = Annotated[
    str,
    Query(
        max_length=80,
        pattern=PRINTABLE,
        description="The beginning of an id, a state, or a part of a name or city.",
        examples=["campinas"],
    ),
]
Cursor = Annotated[str, Query(max_length=400, description="`next_cursor` of the page before.")]


async def _asked(
    start: Annotated[
        str | None,
        Query(
            alias="from",
            max_length=40,
            description="Inclusive. An ISO date or datetime, in the shop's time zone unless it has an "
            "offset; to the minute. Left out: 30 days before `to`.",
            examples=["2018-08-01"],
        ),
    ] = None,
    end: Annotated[
        str | None,
        Query(
            alias="to",
            max_length=40,
            description="Exclusive. Left out: the end of the newest day that has data.",
            examples=["2018-09-01"],
        ),
    ] = None,
) -> Asked:
    return Asked(start, end)


AskedPeriod = Annotated[Asked, Depends(_asked)]
AskedGrain = Annotated[
    Grain | None,
    Query(
        description="Length of a bucket; weeks begin on Monday. Left out: what suits the period.",
        examples=["day"],
    ),
]
