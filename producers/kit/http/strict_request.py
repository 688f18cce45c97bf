"""The base of requests: exact types, no unknown fields, and no value of a field in the text of an error."""

from pydantic import BaseModel, ConfigDict


class StrictRequest(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)
