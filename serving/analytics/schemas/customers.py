"""The responses about a seller's customers: cohorts by the month of their first order, and segments."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.response_types import AsOf, Minor, Stale

MonthName = Annotated[str, Field(pattern=r"^\d{4}-\d{2}$", examples=["2018-03"])]
Share = Annotated[
    float | None, Field(description="A fraction of 1 with four decimals; null without a customer.")
]
PerCustomer = Annotated[
    Minor | None,
    Field(description="Divided by all customers of the cohort, rounded half up; null without one."),
]


class CohortMonth(TypedDict):
    """What the customers of a cohort bought in one month."""

    month: MonthName
    number: Annotated[int, Field(description="Months since the first order; 0 is the cohort's own month.")]
    complete: Annotated[
        bool, Field(description="Whether all orders of the month are counted: whether it ended by `as_of`.")
    ]
    customers: Annotated[int, Field(description="Customers of the cohort with an order in the month.")]
    retention: Annotated[
        Share,
        Field(description="`customers` as a share of the cohort. 1 in its own month; null without one."),
    ]
    orders: int
    net_sales: Annotated[
        Minor, Field(description="Of the orders of the month, less what was cancelled or refunded later.")
    ]
    cumulated_net_sales: Annotated[Minor, Field(description="Of all months of the cohort up to this one.")]
    cumulated_per_customer: PerCustomer


class Cohort(TypedDict):
    """The customers whose first order of the seller is in one month."""

    month: MonthName
    customers: Annotated[int, Field(description="As the metric `new_customers`.")]
    months: Annotated[list[CohortMonth], Field(description="From the cohort's own month to the last one.")]


class MeanRetention(TypedDict):
    """The retention so many months after the first order, over all cohorts whose month is complete."""

    number: int
    cohorts: int
    customers: Annotated[int, Field(description="All customers of these cohorts.")]
    returned: Annotated[int, Field(description="Those with an order in that month.")]
    retention: Share


class CustomerCohorts(TypedDict):
    """The customers of a seller by the month of their first order, and what they bought since."""

    seller_id: str
    currency: Annotated[str, Field(examples=["BRL"])]
    timezone: Annotated[str, Field(description="The months are those of this zone.")]
    first_month: MonthName
    last_month: MonthName
    cohorts: Annotated[
        list[Cohort],
        Field(description="The oldest first; months before the first order of all are left out."),
    ]
    mean_retention: Annotated[list[MeanRetention], Field(description="From number 1 on.")]
    as_of: AsOf
    stale: Stale


class ValueToDate(TypedDict):
    """The net sales of a customer from the first order on. Null without customers."""

    mean: Minor | None
    median: Annotated[
        Minor | None, Field(description="Of n customers by value, the one at position ⌊0.5 · n⌋ from 0.")
    ]
    p90: Annotated[Minor | None, Field(description="The one at position ⌊0.9 · n⌋.")]


class CustomerSegment(TypedDict):
    """Customers who bought about as recently, as often and for as much."""

    name: Annotated[str, Field(examples=["at_risk"])]
    title: Annotated[str, Field(examples=["At risk"])]
    rule: Annotated[
        str,
        Field(
            description="Its scores. Recency is the quintile of the last order, 5 the newest; value is the "
            "mean of the quintiles of the number of orders and of the net sales, rounded half up.",
            examples=["recency 1 to 2, value 3 to 4"],
        ),
    ]
    customers: int
    share: Annotated[Share, Field(description="Share of `customers` of all segments.")]
    orders: int
    net_sales: Minor
    net_sales_share: Annotated[
        float | None, Field(description="Share of `net_sales` of all segments; null if that is not above 0.")
    ]


class CustomerSegments(TypedDict):
    """The customers of a seller, over all time, by what is likely to make them buy again."""

    seller_id: str
    currency: Annotated[str, Field(examples=["BRL"])]
    customers: Annotated[
        int, Field(description="Shoppers with a confirmed order that was not cancelled; not those erased.")
    ]
    guests: Annotated[
        int,
        Field(
            description="Those of them who never registered. A guest is a customer of their own in each "
            "browser, so that one person can be several."
        ),
    ]
    erased_customers: Annotated[
        int,
        Field(
            description="Customers who were erased on their request. They are in no segment and not in "
            "`customers`: nobody can do anything for them. Their orders stay in cohorts and sales."
        ),
    ]
    orders: int
    net_sales: Minor
    value_to_date: ValueToDate
    segments: Annotated[
        list[CustomerSegment],
        Field(
            description="All segments, also empty ones, the most valuable first. None with fewer than 5 "
            "customers, because these have no quintiles. Equal values have equal scores: of n customers, a "
            "score is 1 + ⌊5 · those with a lower value ÷ n⌋."
        ),
    ]
    as_of: AsOf
    stale: Stale
