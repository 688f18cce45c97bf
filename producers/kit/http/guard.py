"""Checks the principal of each request to a commerce service, and what it may do there."""

from fastapi import Request
from starlette.responses import Response

from common.access_policy import AccessPolicy, SignInRequired
from common.guarded_route import RouteHandler
from common.principal import Principal
from common.principal_token import COMMERCE, HEADER, InvalidToken, PrincipalTokens, Sender
from producers.kit.http.idempotency import IdempotentRequests
from producers.kit.http.problems import NOT_YOUR_SHOPPER, require

_MAX_ADDRESS_CHARS = 64


class ServiceGuard:
    """The guard of the commerce services: only the gateway can say who sends a request, and from where.

    Every request needs its token, also one of nobody in particular, except those for health and metrics: the
    limits of the gateway apply to all that it forwards.
    """

    def __init__(self, tokens: PrincipalTokens, idempotent: IdempotentRequests) -> None:
        self._tokens = tokens
        self._idempotent = idempotent

    async def handle(self, request: Request, policy: AccessPolicy, respond: RouteHandler) -> Response:
        """Respond if the policy allows it; see `IdempotentRequests` for requests with an `Idempotency-Key`.

        Raises:
            SignInRequired: the header is missing or invalid, or names no principal and the policy needs one.
            NotAllowed, NotYours: see `AccessPolicy.authorize`.
        """
        sender = Sender() if _is_open(policy) else self._sender(request)
        principal = request.state.principal = sender.principal
        request.state.client_address = sender.address
        request.state.visit = sender.visit
        policy.authorize(principal, request.path_params)
        return await self._idempotent.handle(request, policy, principal, respond)

    def _sender(self, request: Request) -> Sender:
        try:
            return self._tokens.verify_sender(request.headers.get(HEADER, ""), COMMERCE)
        except InvalidToken as error:
            raise SignInRequired(
                f"The header {HEADER} is missing or not valid. Send requests through the API, which adds it."
            ) from error


def _is_open(policy: AccessPolicy) -> bool:
    """Return whether a route answers everybody who reaches the port: health, readiness and metrics."""
    return policy.public and policy.traffic == "operations"


def principal_of(request: Request) -> Principal:
    """Return the principal of a request. Only for routes whose policy needs one.

    Raises:
        SignInRequired: the request has none.
    """
    principal: Principal | None = request.state.principal
    return require(principal, SignInRequired())


def address_of(request: Request) -> str:
    """Return the address from which a request comes: what the gateway has signed, else the connection's."""
    peer = request.client.host if request.client else ""
    address: str = request.state.client_address or peer
    return address[:_MAX_ADDRESS_CHARS]


def shopper_of(named: str | None, principal: Principal) -> str:
    """Return for whom a request acts: its principal, or the shopper whom a process of the platform names.

    Raises:
        NOT_YOUR_SHOPPER: it names another shopper, or a process of the platform names none.
    """
    shopper_id = require(named or principal.shopper_id, NOT_YOUR_SHOPPER())
    require("platform" in principal.roles or shopper_id in principal.shopper_ids, NOT_YOUR_SHOPPER())
    return shopper_id


def session_of(named: str | None, request: Request) -> str | None:
    """Return the visit in which a request is sent: the named one if it is the sender's, else the browser's.

    None: it is not known. Events are kept for ever, so only ids that the gateway or a process of the
    platform made may be in them: any other text could tell who the sender is (docs/decisions/erasure.md).
    What a request names counts if it is one of the sender's shopper ids: the id of a guest, which a sign-in
    makes one of the person's. A browser's visit comes from its signed cookie.
    """
    principal = principal_of(request)
    if "platform" in principal.roles or named in principal.shopper_ids:
        return named
    visit: str | None = request.state.visit
    return visit
