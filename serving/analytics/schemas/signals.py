"""The responses with signals."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from common.signals import SignalKind, SubjectKind
from serving.kit.response_types import AsOf, Moment, Stale


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
