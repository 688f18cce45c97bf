"""Describes in OpenAPI what the gateway passes on unread: bodies, headers, and what commerce may answer."""

from typing import Any

from pydantic import TypeAdapter

from common.problems import ProblemDetails
from serving.analytics.answers import Responses


def _whole(model: Any) -> dict[str, Any]:
    """A model's JSON schema with every definition in its place."""
    schema = TypeAdapter(model).json_schema()
    definitions = schema.pop("$defs", {})

    def resolve(part: Any) -> Any:
        if isinstance(part, list):
            return [resolve(each) for each in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolve(definitions[part["$ref"].rsplit("/", 1)[1]])
        return {name: resolve(each) for name, each in part.items()}

    whole: dict[str, Any] = resolve(schema)
    return whole


def problem(status: int, description: str, model: type[ProblemDetails] = ProblemDetails) -> Responses:
    """One way in which a request can fail; `model` has the members of its answer."""
    content = {"application/problem+json": {"schema": _whole(model)}}
    return {status: {"description": description, "content": content}}


NOT_JSON = problem(415, "The `Content-Type` is not `application/json`.")


def sends(model: Any, example: object, key: bool = False) -> dict[str, Any]:
    """`openapi_extra` of an address that takes `model` as JSON, and with `key` an `Idempotency-Key`.

    The body is read by commerce alone; FastAPI would parse it once more to describe it.
    """
    content = {"application/json": {"schema": _whole(model), "example": example}}
    described: dict[str, Any] = {"requestBody": {"required": True, "content": content}}
    if key:
        described["parameters"] = [_KEY]
    return described


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "examples": ["9f1c2d3e-one-checkout"]},
    "description": "Made once for each checkout. Sent again with the same body it gets the same answer and "
    "buys nothing twice; with another body it is refused (409).",
}
