"""The payment details of an order, which orders stores for payments until it is confirmed or cancelled."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from common.ids import PRINTABLE

Method = Literal["credit_card", "debit_card", "boleto", "voucher", "pix", "bank_transfer", "wallet", "cash"]


class PaymentDetails(BaseModel):
    """The payment method of an order. The token identifies the card at the payment provider."""

    model_config = ConfigDict(frozen=True)

    method: Method
    token: Annotated[
        Annotated[str, Field(min_length=1, max_length=128, pattern=PRINTABLE)] | None,
        Field(
            description="The token of the card. The simulated provider declines `tok_decline…`, charges "
            "`tok_slow…` slowly and `tok_flaky…` at the third attempt, and charges every other token.",
            examples=["tok_visa"],
        ),
    ] = None
    installments: Annotated[int, Field(ge=1, le=24, description="Default: 1.")] = 1
