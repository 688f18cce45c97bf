"""Adds to the OpenAPI description of each route what its policy and the gateway may answer."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI

from common.access_policy import AccessPolicy
from common.guarded_route import GuardedRoute, policy_of
from common.guarded_route import guarded as policy_routes
from common.openapi import NOT_FOUND, openapi_problem

SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token, an API key of a seller (`souk_…`), or a guest's token (`guest.…`).",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "souk_access",
        "description": "The access token of a browser. Requests that change something also need an `Origin`.",
    },
}

_TOKEN = openapi_problem(401, "The token is missing, wrong, expired or revoked.")
_NOT_ALLOWED = openapi_problem(403, "The sender has none of the needed roles or scopes.")
_TOO_LONG = openapi_problem(504, "There was no response in time; the detail says whether a retry is safe.")
_LIMITED = openapi_problem(429, "The sender exceeds its limit; `Retry-After` says how long to wait.")
_BUSY = openapi_problem(503, "The API is too busy; `Retry-After` says when to retry.")


class DescribedRoute(GuardedRoute):
    """A route whose description says who may use it."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Raises MissingPolicy if the endpoint has no policy."""
        policy = policy_of(endpoint)
        if policy is not None:
            options["responses"] = _refusals(policy) | (options.get("responses") or {})
            options["openapi_extra"] = _security(policy) | (options.get("openapi_extra") or {})
        super().__init__(path, endpoint, **options)


def guarded(policies: Mapping[str, AccessPolicy]) -> type[GuardedRoute]:
    """Return the route class of a router, like `common.guarded_route`, and describe its policies."""
    return policy_routes(policies, DescribedRoute)


def _refusals(policy: AccessPolicy) -> dict[int | str, dict[str, Any]]:
    every = _TOKEN | _LIMITED | _BUSY | _TOO_LONG
    if policy.public:
        return every
    owned = policy.seller_parameter or policy.shopper_parameter
    return every | _NOT_ALLOWED | (NOT_FOUND if owned else {})


def _security(policy: AccessPolicy) -> dict[str, Any]:
    if policy.public:
        return {}
    described: dict[str, Any] = {
        "security": [{"bearer": []}, {"cookie": []}],
        "x-souk-roles": sorted(policy.roles),
    }
    if "seller" in policy.roles:
        described["x-souk-staff"] = sorted(policy.staff)
    if policy.scopes:
        described["x-souk-scopes"] = sorted(policy.scopes)
    return described


def add_security_schemes(app: FastAPI) -> None:
    """Add the ways to say who sends a request to the OpenAPI description of an application."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        document = describe()
        document.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
        return document

    app.openapi = described  # type: ignore[method-assign]
