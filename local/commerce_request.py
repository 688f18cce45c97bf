"""Sends a request of a command to the commerce services, as a process of the platform."""

from typing import Any

import httpx

from common.errors import PartUnavailable, UserError
from common.principal import platform
from common.principal_token import COMMERCE, HEADER, PrincipalTokens
from common.settings import Settings
from common.tls import tls_context

TIMEOUT_S = 15.0

COMMANDS = platform("cli")
"""The sender. It names no person, only the program."""


def commerce_request(settings: Settings, method: str, path: str, body: Any = None) -> Any:
    """Return the JSON of the response; None if it has no body.

    Raises:
        UserError: the service refuses the request.
        PartUnavailable: the services do not answer, or not yet.
    """
    headers = {HEADER: PrincipalTokens(settings).make(COMMANDS, COMMERCE)}
    try:
        response = httpx.request(
            method,
            f"{settings.commerce}{path}",
            json=body,
            headers=headers,
            timeout=TIMEOUT_S,
            trust_env=False,
            verify=tls_context(),
        )
        content: Any = response.json() if response.content else None
    except (httpx.HTTPError, ValueError) as error:
        raise PartUnavailable(
            f"the commerce services do not answer at {settings.commerce}: see `./souk status`"
        ) from error
    if response.is_client_error:
        raise UserError(content["detail"])
    if not response.is_success:
        raise PartUnavailable(content["detail"])
    return content
