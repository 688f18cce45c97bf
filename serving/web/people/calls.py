"""Sends requests of the pages of people to the commerce services."""

from typing import Any

from fastapi import Request

from common.principal import Principal
from serving.commerce.commerce_client import CommerceClient, CommerceResponse
from serving.kit.problems import CommerceUnavailable
from serving.web.people.problems import AccountUnavailable
from serving.web.people.texts import UNAVAILABLE, refusal
from serving.web.service_calls import Refusal
from serving.web.translation import gettext


async def read(commerce: CommerceClient, sender: Request | Principal, target: str) -> Any:
    """Return what a service has, as JSON.

    Raises:
        AccountUnavailable: the service does not answer.
        Refusal: the service refuses the request.
    """
    try:
        answer = await commerce.call(sender, "GET", target)
    except CommerceUnavailable as error:
        raise AccountUnavailable from error
    if not answer.is_success:
        raise Refusal(
            answer.status, {"title": gettext("This can't be shown"), "detail": refusal(answer.content)}
        )
    return answer.content


async def change(
    commerce: CommerceClient, request: Request, method: str, target: str, body: Any = None
) -> CommerceResponse:
    """Change something. This returns 503 if the service is not available, so that the form is shown again."""
    try:
        return await commerce.call(request, method, target, body)
    except CommerceUnavailable:
        return CommerceResponse(503, {"detail": UNAVAILABLE})
