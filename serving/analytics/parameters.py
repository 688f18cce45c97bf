"""The parameters that routes and pages share: a seller, a period, a grain, a search."""

from typing import Annotated

from fastapi import Depends, Path, Query

from common.ids import PRINTABLE, Id
from serving.kit.analytics_context import PeriodRequest
from serving.kit.periods import Grain, day_after
from serving.problems import BadPeriod

EXAMPLE_SELLER = "6560211a19b47992c3666cc44a7e94c0"


SellerId = Annotated[
    Id,
    Path(
        description="The seller's id.",
        examples=[EXAMPLE_SELLER],
    ),
]
SearchText = Annotated[
    str,
    Query(
        max_length=80,
        pattern=PRINTABLE,
        description="The beginning of an id, a state, or a part of a name or a city.",
        examples=["campinas"],
    ),
]
Cursor = Annotated[str, Query(max_length=400, description="`next_cursor` of the previous page.")]


def period_end(end: str | None, until: str | None) -> str | None:
    """Return the exclusive end of a period from `to` (exclusive) or `until` (the last day, inclusive).

    Raises:
        BadPeriod: both are given, or `until` is not a day.
    """
    if until is None:
        return end
    if end is not None:
        raise BadPeriod("to and until are given. Give one: to is exclusive, until is the last day.")
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
