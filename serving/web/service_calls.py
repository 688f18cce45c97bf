"""Sends requests of pages to the commerce services, for the person who opened the page."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from common.problems import Problem
from serving.commerce.commerce_client import target_path
from serving.commerce.routes import CommerceDomain
from serving.kit.domain import opened
from serving.web.translation import gettext


class Refusal(Problem):
    """A service has refused a request of a page. The status and the texts are those of its problem."""

    def __init__(self, status: int, content: Mapping[str, Any]) -> None:
        super().__init__(str(content.get("detail") or gettext("The service refused this without a reason.")))
        self.status = status
        self.kind = str(content.get("type", "")).rpartition(":")[2] or "refused"
        self.title = str(content.get("title") or gettext("This was refused"))


async def ask(
    request: Request,
    method: str,
    path: str,
    body: Any = None,
    query: Mapping[str, str | None] | None = None,
    csv: str | None = None,
    **parameters: str,
) -> Any:
    """Send a request for the sender of the page's request, and return the JSON of the response.

    `parameters` replace the names in braces of `path`. Entries of `query` that are None are left out. The
    body is JSON, or `csv`.

    Raises:
        Refusal: the service answers 4xx.
        CommerceUnavailable: the service does not answer, or answers 5xx.
    """
    commerce = opened(request, CommerceDomain).client
    target = target_path(path, parameters)
    if given := {name: value for name, value in (query or {}).items() if value is not None}:
        target += f"?{urlencode(given)}"
    response = await commerce.call(request, method, target, body, csv)
    if not response.is_success:
        raise Refusal(response.status, response.content or {})
    return response.content
