"""Routes that check who sends a request before they read anything of it."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar

from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import BaseRoute

from common.access_policy import AccessPolicy
from common.errors import SoukError
from common.request_path import decode_parameters

RouteHandler = Callable[[Request], Awaitable[Response]]


class MissingPolicy(SoukError):
    """A route has no policy. The process does not start."""


class Guard(Protocol):
    """What an application does with each request before and after its route: `app.state.guard`."""

    async def handle(self, request: Request, policy: AccessPolicy, respond: RouteHandler) -> Response:
        """Return the response of `respond`, or raise the problem because of which it is not called."""


Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def policy(checked: AccessPolicy) -> Callable[[Endpoint], Endpoint]:
    """Return the decorator of an endpoint that only answers those whom a policy admits.

    It is below the decorator of the router, which makes a `GuardedRoute` of the endpoint.
    """

    def decorate(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__["policy"] = checked
        return endpoint

    return decorate


class GuardedRoute(APIRoute):
    """A route with a policy, that of its endpoint. FastAPI has matched it, and has read neither body nor
    parameters.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Raises MissingPolicy if the endpoint has no policy."""
        found = policy_of(endpoint)
        if found is None:
            raise MissingPolicy(f"the route {path} has no policy: decorate its endpoint with `@policy(…)`")
        self.policy = found
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler, called through the application's guard."""
        respond, checked = super().get_route_handler(), self.policy

        async def guarded(request: Request) -> Response:
            decode_parameters(request.scope)
            guard: Guard = request.app.state.guard
            return await guard.handle(request, checked, respond)

        return guarded


def policy_of(endpoint: Callable[..., Any]) -> AccessPolicy | None:
    """Return the policy with which an endpoint is decorated."""
    found: AccessPolicy | None = getattr(endpoint, "policy", None)
    return found


def guarded(
    policies: Mapping[str, AccessPolicy], base: type[GuardedRoute] = GuardedRoute
) -> type[GuardedRoute]:
    """Return the route class of a router: each route has the policy under its function's name.

    Defining a route whose function has no policy raises `MissingPolicy`.
    """

    class PolicyRoute(base):  # type: ignore[misc, valid-type]
        """A route with one of these policies."""

        def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
            name = endpoint.__name__
            if name not in policies:
                raise MissingPolicy(f"the route {path} has no policy: add {name!r} to its policy.py")
            super().__init__(path, policy(policies[name])(endpoint), **options)

    return PolicyRoute


def check_policies(app: FastAPI, public_paths: frozenset[str]) -> None:
    """Check that every route has a policy. `public_paths` are mounts and routes that need none.

    Raises:
        MissingPolicy: a route has none.
    """
    for route in all_routes(app):
        path = getattr(route, "path", "")
        if not isinstance(route, GuardedRoute) and path not in public_paths:
            raise MissingPolicy(f"the route {path} has no policy: make it a `GuardedRoute`")


def all_routes(app: FastAPI | APIRouter) -> list[BaseRoute]:
    """Return every route in the router's order, also of included routers, which FastAPI keeps as a tree."""
    found: list[BaseRoute] = []
    for route in app.routes:
        included: APIRouter | None = getattr(route, "original_router", None)
        found += [route] if included is None else all_routes(included)
    return found
