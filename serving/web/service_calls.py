"""Sends requests of pages to the commerce services, for the person who opened the page."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from pydantic import TypeAdapter

from common.guarded_route import all_routes
from common.principal import Principal
from common.problems import Problem
from producers.kit.http.routes import ServiceRoute
from producers.registry import SERVICES
from serving.commerce.commerce_client import target_path
from serving.commerce.routes import CommerceDomain
from serving.kit.domain import opened
from serving.kit.request_body import SentFile
from serving.web.translation import gettext


class Refusal(Problem):
    """A service has refused a request of a page. The status and the texts are those of its problem."""

    def __init__(self, status: int, content: Mapping[str, Any]) -> None:
        super().__init__(
            str(content.get("detail") or gettext("This did not work. Check the form, and try again."))
        )
        self.status = status
        self.kind = str(content.get("type", "")).rpartition(":")[2] or "refused"
        self.title = str(content.get("title") or gettext("This was refused"))


async def ask(
    request: Request,
    method: str,
    path: str,
    body: Any = None,
    query: Mapping[str, str | Sequence[str] | None] | None = None,
    file: SentFile | None = None,
    sender: Principal | None = None,
    idempotency_key: str | None = None,
    **parameters: str,
) -> Any:
    """Send a request for the sender of the page's request, or another one. Return the JSON of the response.

    The names in braces of `path` are those of `parameters`, else of the page's own path. Entries of `query`
    that are None are left out; a list is a repeated parameter. The body is JSON, or a file. With the same
    `idempotency_key`, a request takes effect once.

    Raises:
        Refusal: the service answers 4xx.
        CommerceUnavailable: the service does not answer, or answers 5xx.
    """
    commerce = opened(request, CommerceDomain).client
    target = target_path(path, request.path_params | parameters)
    if given := {name: value for name, value in (query or {}).items() if value is not None}:
        target += f"?{urlencode(given, doseq=True)}"
    response = await commerce.call(sender or request, method, target, body, file, idempotency_key)
    if not response.is_success:
        raise Refusal(response.status, response.content if isinstance(response.content, dict) else {})
    return response.content


@cache
def body_schema(method: str, path: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the JSON schema of each field of the body that a service takes at a route; empty without a body.

    A field that may be null has the schema of its other values and `nullable`, a required one `required`.

    Raises:
        LookupError: no service has this route.
    """
    for service in SERVICES.values():
        for route in all_routes(service.router):
            if isinstance(route, ServiceRoute) and route.path == path and method in (route.methods or ()):
                schema = TypeAdapter(route.body.model).json_schema() if route.body else {}
                required = schema.get("required", ())
                return {
                    name: {**_without_null(field), "required": name in required}
                    for name, field in schema.get("properties", {}).items()
                }
    raise LookupError(f"no service has a route {method} {path}")


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    options = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return {**options[0], "nullable": True} if len(options) == 1 else schema
