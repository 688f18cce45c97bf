"""Routes of the gateway itself: the public keys of access tokens, and the session of a guest."""

from collections.abc import Mapping

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response
from typing_extensions import TypedDict

from common.access_policy import AccessPolicy, anyone
from common.content_type import JSON
from serving.gateway.described_routes import guarded
from serving.gateway.gateway import GatewayDomain
from serving.kit.domain import opened

POLICIES: Mapping[str, AccessPolicy] = {
    "jwks": anyone("read"),
    "begin_guest_session": anyone("sign_in"),
}

router = APIRouter(tags=["identity"], route_class=guarded(POLICIES))


class KeySet(TypedDict):
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[dict[str, str]]


class GuestSession(TypedDict):
    """A guest without a browser: its id, under which it buys, and its bearer token."""

    session_id: str
    guest_token: str


@router.get("/.well-known/jwks.json", summary="The public keys of access tokens", response_model=KeySet)
async def jwks(request: Request) -> Response:
    """Return the keys with which anybody can verify an access token. Old keys stay until their tokens end."""
    tokens = opened(request, GatewayDomain).access_tokens
    return Response(
        orjson.dumps({"keys": tokens.public_keys}), 200, {"Cache-Control": "public, max-age=60"}, JSON
    )


@router.post(
    "/v1/auth/guest_sessions",
    summary="Begin the session of a guest",
    status_code=201,
    response_model=GuestSession,
)
async def begin_guest_session(request: Request) -> Response:
    """Return a bearer token with which a program without cookies buys as a guest. It is not stored here."""
    guests = opened(request, GatewayDomain).guests
    session_id = guests.new()
    content = {"session_id": session_id, "guest_token": guests.token(session_id)}
    return Response(orjson.dumps(content), 201, {"Cache-Control": "no-store"}, JSON)
