"""What the services are asked when a person is erased: to delete all that they have of the person.

Users asks in the transaction that deletes the person (`producers/kit/requests`). The erasure is done when
every service has answered. Each has a route `/v1/erasures/{service}`, harmless if it is repeated.
"""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from producers.kit.outbox.transaction import Transaction

ASKED = ("sellers", "configuration", "alerts")
"""The services, besides users, that store ids or e-mail addresses of people."""


class Erasure(BaseModel):
    """The account that was erased, and its e-mail address."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    user_id: Annotated[UUID, Field(strict=False)]
    email: str


def ask_to_forget(tx: Transaction, user_id: str, email: str) -> None:
    """Ask every service, once this transaction has committed, to forget a person.

    `email` is empty if it is no longer known.
    """
    for service in ASKED:
        tx.request(service, f"/v1/erasures/{service}", {"user_id": user_id, "email": email})
