"""Adds to the OpenAPI description of each route what its policy and the gateway may answer."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI

from common.access_policy import AccessPolicy
from common.guarded_route import GuardedRoute
from common.guarded_route import guarded as policy_routes
from common.retry_policy import SAFE_METHODS
from serving.kit.openapi import OPTIONAL_KEY, openapi_problem

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
_NOT_FOUND = openapi_problem(404, "There is no such thing, or it belongs to somebody else.")
_LIMITED = openapi_problem(429, "The sender exceeds its limit; `Retry-After` says how long to wait.")
_BUSY = openapi_problem(503, "The API is too busy; `Retry-After` says when to retry.")


_KEY_REFUSED = openapi_problem(400, "The `Idempotency-Key` is not valid.") | openapi_problem(
    409, "The `Idempotency-Key` was used with another request, or its first request is still running."
)


def guarded(policies: Mapping[str, AccessPolicy], takes_key: bool = False) -> type[GuardedRoute]:
    """Return the route class of a router, like `common.guarded_route`, and describe its policies.

    `takes_key`: what is behind the routes acts on the header `Idempotency-Key` of each write.
    """
    base = policy_routes(policies)

    class DescribedRoute(base):  # type: ignore[misc, valid-type]
        """A route whose description says who may use it."""

        def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
            policy = policies.get(endpoint.__name__)
            if policy is not None:
                refusals, extra = _refusals(policy), _security(policy)
                if takes_key and policy.stores_responses and not SAFE_METHODS.issuperset(options["methods"]):
                    refusals, extra = refusals | _KEY_REFUSED, extra | {"parameters": [OPTIONAL_KEY]}
                options["responses"] = refusals | (options.get("responses") or {})
                options["openapi_extra"] = extra | (options.get("openapi_extra") or {})
            super().__init__(path, endpoint, **options)

    return DescribedRoute


def _refusals(policy: AccessPolicy) -> dict[int | str, dict[str, Any]]:
    every = _TOKEN | _LIMITED | _BUSY | _TOO_LONG
    if policy.public:
        return every
    owned = policy.seller_parameter or policy.shopper_parameter
    return every | _NOT_ALLOWED | (_NOT_FOUND if owned else {})


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
