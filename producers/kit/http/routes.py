"""The routes of the commerce services: the body that an endpoint takes, and whether the gateway offers it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any

from fastapi import Path, Request
from pydantic import TypeAdapter
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import GuardedRoute
from common.ids import Id
from producers.kit.http.endpoint import json_response, parse_body

BODY_LIMIT = 64 * 1024
"""The largest body in bytes of a request about one thing: an order, a profile, a setting."""

LIST_LIMIT = 1024 * 1024
"""The largest body in bytes of a request with a list: thousands of products."""


PLATFORM = allow("platform", traffic="operations")
"""The policy of routes that only other processes of the platform use."""

SellerPath = Annotated[Id, Path(description="The seller's id.", examples=["seller-0001"])]


@dataclass(frozen=True, slots=True)
class JsonBody:
    """Marks the parameter of an endpoint that is the body of its request: `Annotated[Model, JsonBody(…)]`.

    `example` is a body for the description of the API. `limit` is how many bytes the gateway accepts. `read`
    returns the value of the parameter. `model` is the type of the body, if that is not the parameter's.
    `other` describes the content types that `read` accepts besides JSON, as OpenAPI does; all of them if the
    body is not JSON (`is_json`).
    """

    example: object = None
    limit: int = BODY_LIMIT
    read: Callable[[Request, TypeAdapter[Any]], Awaitable[Any]] = parse_body
    model: Any = None
    other: Mapping[str, Any] = field(default_factory=dict)
    is_json: bool = True


class ServiceRoute(GuardedRoute):
    """A route of a commerce service that other processes of the platform use. The gateway does not offer it.

    The policy is that of the endpoint (`@policy`). A parameter with `JsonBody` is read after the guard has
    let the request through and FastAPI has checked the other parameters. The endpoint returns a response, or
    what its annotation says, of which the route makes JSON; the annotation then describes the response. One
    that returns None answers 204, or the status of the route, without a body.
    """

    body: JsonBody | None
    """What the endpoint takes; its `model` is set."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Raises MissingPolicy if the endpoint has no policy."""
        responding = _responding(endpoint, options.get("status_code"))
        self.body = getattr(responding, "body", None)
        super().__init__(path, responding, **options)


class PublicRoute(ServiceRoute):
    """A route that the gateway offers to everybody whom its policy admits.

    The gateway's route follows from it: its path and parameters, policy, body, responses and description.
    """


def _responding(endpoint: Callable[..., Any], status: int | None) -> Callable[..., Any]:
    """Return an endpoint that reads its body itself, and responds with the JSON of what it returns.

    `status` is that of the response; without one, 200, or 204 for None. It is the same endpoint if it takes
    no body and returns a response.
    """
    whole = signature(endpoint)
    bodies = {name: body for name, each in whole.parameters.items() if (body := _body_of(each)) is not None}
    if not bodies and whole.return_annotation is Response:
        return endpoint
    if len(bodies) > 1:
        raise TypeError(f"{endpoint.__qualname__} has several bodies: {', '.join(bodies)}")
    adapters: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(body.model) for name, body in bodies.items()}

    @wraps(endpoint)
    async def respond(request: Request, **parameters: Any) -> Response:
        for name, adapter in adapters.items():
            parameters[name] = await bodies[name].read(request, adapter)
        result = await endpoint(request=request, **parameters)
        if isinstance(result, Response):
            return result
        return Response(status_code=status or 204) if result is None else json_response(result, status or 200)

    others = [each for each in whole.parameters.values() if each.name not in bodies]
    respond.__dict__.update(
        body=next(iter(bodies.values()), None), __signature__=whole.replace(parameters=others)
    )
    return respond


def _body_of(parameter: Parameter) -> JsonBody | None:
    for note in getattr(parameter.annotation, "__metadata__", ()):
        if isinstance(note, JsonBody):
            return replace(note, model=note.model or parameter.annotation)
    return None
