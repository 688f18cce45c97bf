"""The types that responses share: money, moments, changes and periods."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.csv_writer import MinorUnits

Minor = Annotated[
    int, Field(description="Money in minor units (cents) of `currency`.", examples=[1299000]), MinorUnits()
]


def deprecated_for(name: str) -> Any:
    """Mark a field as a deprecated alias of another one of the same object, which has the same value."""
    return Field(description=f"Deprecated: the same value as `{name}`.", deprecated=True)


Revenue = Annotated[Minor, deprecated_for("net_sales_minor")]
"""The former name of net sales."""

Moment = Annotated[datetime, Field(examples=["2018-08-01T00:00:00-03:00"])]
AsOf = Annotated[
    datetime | None,
    Field(
        description="The event time up to which these figures are complete; null while there are none.",
        examples=["2018-08-29T12:14:35-03:00"],
    ),
]
Stale = Annotated[
    bool,
    Field(
        description="Whether ClickHouse does not answer, and these are the last figures that were computed "
        "before. They are complete up to `as_of`; newer ones follow once it answers.",
    ),
]
Change = Annotated[
    float | None,
    Field(
        description="Relative change against `compared` (0.12 is 12 % more); null if that value is 0.",
        examples=[0.1183],
    ),
]

Period = TypedDict(
    "Period",
    {
        "from": Annotated[Moment, Field(description="Inclusive.")],
        "to": Annotated[Moment, Field(description="Exclusive.")],
    },
)


class ConfidenceInterval(TypedDict):
    """An estimate and the bounds between which the true value is with 95 % confidence."""

    estimate: float
    low: float
    high: float
