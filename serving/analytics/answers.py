"""How figures are answered: as JSON with an ETag, and the errors every address describes."""

from hashlib import blake2b
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request
from starlette.responses import Response

from common.problems import ProblemDetails

Responses = dict[int | str, dict[str, Any]]


def _problem(description: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": ProblemDetails.model_json_schema()}}
    return {"description": description, "content": content}


BAD_PARAMETER: Responses = {422: _problem("A parameter can't be used; the detail says which and why.")}
UNKNOWN_SELLER: Responses = {404: _problem("Nobody knows this seller.")}
UNAVAILABLE: Responses = {503: _problem("A store does not answer; try again after `Retry-After` seconds.")}
UNCHANGED: Responses = {304: {"description": "The answer still has the ETag of `If-None-Match`."}}


class JsonAnswer:
    """Writes an answer of this request: 304 without a body when whoever asks has it already.

    The ETag is made of the answer itself. `as_of` would not do: an event that comes late changes figures of a
    time that was complete, and then `as_of` stands still.
    """

    def __init__(self, request: Request) -> None:
        self._had = request.headers.get("If-None-Match", "")

    def __call__(self, answer: object) -> Response:
        """The answer as JSON."""
        body = orjson.dumps(answer)
        tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
        headers = {"Cache-Control": "no-cache", "ETag": tag}
        if tag in (one.strip().removeprefix("W/") for one in self._had.split(",")):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="application/json")


async def _answer(request: Request) -> JsonAnswer:
    return JsonAnswer(request)


Answer = Annotated[JsonAnswer, Depends(_answer)]
