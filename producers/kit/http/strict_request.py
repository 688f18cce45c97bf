"""The base of requests: exact types, no unknown fields, and no value of a field in the text of an error."""

from pydantic import BaseModel, ConfigDict

from common.ids import Id


class StrictRequest(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class ExportRequest(StrictRequest):
    """The shopper ids of a person, who gets all that a service keeps of them."""

    shopper_ids: list[Id]
