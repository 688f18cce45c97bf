"""`/v1/sellers/{seller_id}/api_keys`: the keys of a seller's programs, and their verification."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.access_policy import NotAllowed
from common.guarded_route import guarded
from common.ids import Id, new_id
from common.principal_token import derived_key
from producers.http.endpoint import json_response, parse_body, settings_of, transaction, transactions
from producers.http.guard import principal_of
from producers.sellers import store
from producers.sellers.api_keys import (
    PURPOSE,
    SCOPES,
    is_well_formed,
    key_digest,
    key_hint,
    key_principal,
    new_api_key,
)
from producers.sellers.policy import POLICIES
from producers.sellers.problems import PastTime, TooManyKeys, UnknownKey
from producers.sellers.schemas import (
    KEY_REQUEST,
    NAME,
    VERIFICATION_REQUEST,
    KeysResponse,
    NewKeyResponse,
    Uuid,
    VerificationResponse,
)
from producers.sellers.staff import lock_managed_seller
from producers.sellers.store import NewKey

MAX_KEYS = 50
"""Valid keys that a seller may have at a time."""

router = APIRouter(prefix="/v1", tags=[NAME], route_class=guarded(POLICIES))


@router.get("/sellers/{seller_id}/api_keys", response_model=KeysResponse)
async def list_keys(request: Request, seller_id: Id) -> Response:
    """The newest 500 keys of a seller, without their secrets, and the scopes that a key may have."""
    async with transactions(request, NAME).connection() as sql:
        keys = await store.find_keys(sql, seller_id)
    return json_response({"api_keys": keys, "scopes": SCOPES})


@router.post("/sellers/{seller_id}/api_keys", status_code=201, response_model=NewKeyResponse)
async def create_key(request: Request, seller_id: Id) -> Response:
    """Create a key. This response is the only one that contains it.

    It is revoked when its maker is suspended. A suspended person makes no key with a token that has not ended
    yet, because that key would stay.
    """
    body = await parse_body(request, KEY_REQUEST)
    principal, key = principal_of(request), new_api_key()
    async with transaction(request, NAME, seller_id) as tx:
        await lock_managed_seller(tx, seller_id, principal)
        if not await store.lock_maker(tx, principal.subject):
            raise NotAllowed("Your account is suspended. Write to the shop.")
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


@router.delete("/sellers/{seller_id}/api_keys/{key_id}", status_code=204)
async def revoke_key(request: Request, seller_id: Id, key_id: Uuid) -> Response:
    """Revoke a key. It stops at once."""
    async with transaction(request, NAME, seller_id) as tx:
        if not await store.revoke_key(tx, seller_id, key_id, principal_of(request).subject):
            raise UnknownKey(f"/v1/sellers/{seller_id}/api_keys")
    return Response(status_code=204)


@router.post("/auth/api_keys/verification", response_model=VerificationResponse)
async def verify_key(request: Request) -> Response:
    """The principal of an API key; 404 if the key is not valid now."""
    body = await parse_body(request, VERIFICATION_REQUEST)
    valid = None
    if is_well_formed(body.key):
        running = transactions(request, NAME)
        async with running.connection() as sql:
            valid = await store.verify_key(sql, key_digest(_secret(request), body.key), running.clock())
    if valid is None:
        raise UnknownKey("/v1/sellers/{seller_id}/api_keys")
    principal = key_principal(valid.key_id, valid.seller_id, valid.scopes)
    return json_response(
        {"principal": principal.claims(), "key_id": valid.key_id, "expires_at": valid.expires_at}
    )


def _secret(request: Request) -> bytes:
    return derived_key(settings_of(request, NAME), PURPOSE)
