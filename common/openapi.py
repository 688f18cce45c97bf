"""Describes in OpenAPI what FastAPI can't infer: bodies that it does not parse, headers, and problems."""

from typing import Any

from pydantic import TypeAdapter

from common.problems import ProblemDetails

Responses = dict[int | str, dict[str, Any]]


def _inline_schema(model: Any) -> dict[str, Any]:
    """Return the JSON schema of a model with all its definitions inlined, and without names of these."""
    schema = TypeAdapter(model).json_schema()
    definitions = schema.pop("$defs", {})

    def resolve(part: Any) -> Any:
        if isinstance(part, list):
            return [resolve(each) for each in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolve(definitions[part["$ref"].rsplit("/", 1)[1]])
        return {name: resolve(each) for name, each in part.items() if name != "discriminator"}

    return dict(resolve(schema))


def openapi_problem(status: int, description: str, model: type[ProblemDetails] = ProblemDetails) -> Responses:
    """Return the description of one problem of a route; `model` has the members of the response."""
    content = {"application/problem+json": {"schema": _inline_schema(model)}}
    return {status: {"description": description, "content": content}}


NOT_JSON = openapi_problem(415, "The `Content-Type` is not `application/json`.")
NOT_FOUND = openapi_problem(404, "There is no such thing, or it belongs to somebody else.")


def json_request_body(model: Any, example: object) -> dict[str, Any]:
    """Return the `openapi_extra` of a route whose JSON body FastAPI does not parse, and so can't describe."""
    content = {"application/json": {"schema": _inline_schema(model), "example": example}}
    return {"requestBody": {"required": True, "content": content}}


REQUIRED_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "examples": ["9f1c2d3e-one-checkout"]},
    "description": "A key that is generated once per checkout. A repeated request with the same key and body "
    "returns the first response and buys nothing twice. The same key with another body is refused (409). "
    "Keys of other senders have no effect.",
}
"""The header `Idempotency-Key` of a write that is refused without it."""

OPTIONAL_KEY = {
    **REQUIRED_KEY,
    "required": False,
    "description": "A key that is generated once per change. For 24 hours, a repeated request with the same "
    "key and body returns the first response, and changes nothing. The same key with another body is refused "
    "(409).",
}
"""The header `Idempotency-Key` of a write that also works without it."""
