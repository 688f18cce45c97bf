"""`/v1/sellers/{seller_id}/api_keys`: the keys of a seller's programs, and their verification."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from common.ids import Uuid, new_id
from common.openapi import openapi_problem
from common.principal_token import derived_key
from producers.kit.http.endpoint import context, json_response, settings_of, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.problems import ServiceNotReady
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath, ServiceRoute
from producers.kit.makers import Made, Makers
from producers.services.sellers import store
from producers.services.sellers.api_keys import (
    PURPOSE,
    SCOPES,
    is_well_formed,
    key_digest,
    key_hint,
    key_principal,
    new_api_key,
)
from producers.services.sellers.model import STAFF_MANAGERS
from producers.services.sellers.policy import KEEPERS, KEY_MAKERS, SELLER
from producers.services.sellers.problems import PastTime, TooManyKeys, UnknownKey
from producers.services.sellers.schemas import (
    NAME,
    KeyRequest,
    KeysResponse,
    NewKeyResponse,
    VerificationRequest,
    VerificationResponse,
)
from producers.services.sellers.staff import lock_managed_seller
from producers.services.sellers.store import NewKey

MAX_KEYS = 50
"""Valid keys that a seller may have at a time."""

KeyId = Annotated[Uuid, Path(description="The API key's id; not the key itself.")]

public = APIRouter(prefix="/v1", tags=["selling"], route_class=PublicRoute)
internal = APIRouter(prefix="/v1", route_class=ServiceRoute)


@public.get("/sellers/{seller_id}/api_keys", summary="The API keys of a seller", response_model=KeysResponse)
@policy(allow("seller", "admin", traffic="read", staff=STAFF_MANAGERS, seller_parameter=SELLER))
async def api_keys(request: Request, seller_id: SellerPath) -> Response:
    """Return the keys without their secrets, revoked ones too, and the scopes that a key may have."""
    running = transactions(request, NAME)
    async with running.connection() as sql:
        keys = await store.find_keys(sql, seller_id)
    with suppress(ServiceNotReady):  # a key whose maker can't be judged now is shown as it is
        made = [
            Made(key["created_by"], key["created_at"], seller_id) for key in keys if not key["revoked_at"]
        ]
        if ended := await _makers(request).find_ended(made, KEY_MAKERS):
            await _end(request, ended)
            async with running.connection() as sql:
                keys = await store.find_keys(sql, seller_id)
    return json_response({"api_keys": keys, "scopes": SCOPES})


@public.post(
    "/sellers/{seller_id}/api_keys",
    summary="Create an API key",
    status_code=201,
    response_model=NewKeyResponse,
    responses=openapi_problem(409, "The seller has as many keys as it may have."),
)
@policy(KEY_MAKERS)
async def create_api_key(
    request: Request,
    seller_id: SellerPath,
    body: Annotated[KeyRequest, JsonBody({"name": "Warehouse", "scopes": ["orders:read", "stock:write"]})],
) -> Response:
    """Create a key. `key` is in this response only: store it now.

    It ends when its maker may not make it any more: with their staff role, their suspension or their account.
    """
    principal, key = principal_of(request), new_api_key()
    async with transaction(request, NAME, seller_id) as tx:
        await lock_managed_seller(tx, seller_id, principal)
        if body.expires_at is not None and body.expires_at <= tx.now:
            raise PastTime("expires_at")
        new_key = NewKey(
            key_id=new_id(),
            name=body.name,
            digest=key_digest(_secret(request), key),
            hint=key_hint(key),
            scopes=sorted(set(body.scopes)),
            expires_at=body.expires_at,
        )
        created = await store.create_key(tx, seller_id, new_key, principal.subject, MAX_KEYS)
    if created is None:
        raise TooManyKeys(MAX_KEYS)
    return json_response({**created, "key": key}, 201)


@public.delete("/sellers/{seller_id}/api_keys/{key_id}", summary="Revoke an API key", status_code=204)
@policy(KEEPERS)
async def revoke_api_key(request: Request, seller_id: SellerPath, key_id: KeyId) -> Response:
    """Revoke a key. Requests with it are refused from now on."""
    async with transaction(request, NAME, seller_id) as tx:
        if not await store.revoke_key(tx, seller_id, key_id, principal_of(request).subject):
            raise UnknownKey(f"/v1/sellers/{seller_id}/api_keys")
    return Response(status_code=204)


@internal.post("/auth/api_keys/verification", response_model=VerificationResponse)
@policy(allow("platform", traffic="operations"))
async def verify_key(request: Request, body: Annotated[VerificationRequest, JsonBody()]) -> Response:
    """The principal of an API key; 404 if the key is not valid, or its maker may not make it any more."""
    valid = None
    if is_well_formed(body.key):
        running = transactions(request, NAME)
        digest = key_digest(_secret(request), body.key)
        async with running.connection() as sql:
            valid = await store.verify_key(sql, digest, running.clock())
    if valid is not None:  # users is asked without a connection of this service's pool
        made = Made(valid.created_by, valid.created_at, valid.seller_id)
        if await _makers(request).find(made, KEY_MAKERS) is None:
            await _end(request, [made])
            valid = None
    if valid is None:
        raise UnknownKey("/v1/sellers/{seller_id}/api_keys")
    principal = key_principal(valid.key_id, valid.seller_id, valid.scopes)
    return json_response(
        {"principal": principal.claims(), "key_id": valid.key_id, "expires_at": valid.expires_at}
    )


async def _end(request: Request, ended: Sequence[Made]) -> None:
    """Revoke the keys whose makers may not make them any more, and the makers' earlier ones."""
    running = transactions(request, NAME)
    async with running.connection() as sql:
        for made in ended:
            await store.revoke_keys_of_maker(
                sql, made.seller_id, made.maker, running.clock(), None, made.made_at
            )


def _makers(request: Request) -> Makers:
    makers: Makers = context(request, NAME)
    return makers


def _secret(request: Request) -> bytes:
    return derived_key(settings_of(request, NAME), PURPOSE)


router = APIRouter()
router.include_router(public)
router.include_router(internal)
